// Logs: an event in plain words, then key=value. error = a person must act; warn = something was
// lost or retried; info = what an operator would draw on a timeline; debug = for the developer.
//   LOG_INFO("member removed pg={} server={} silent_ms={}", pg, server, silent);
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "common/status.h"

namespace cairn {

struct LogOptions {
  std::string name{};         // the process, printed on each line: "chunkserver-2"
  std::string file{};         // empty: stderr
  std::string level = "info"; // trace, debug, info, warn, error
};

// Call once, before threads start and after a fork: a thread flushes each second.
// kInvalidArgument: unknown level; kIoError: the file cannot be opened.
Status InitLogging(const LogOptions& options);

}  // namespace cairn

#define LOG_DEBUG(...) ::spdlog::debug(__VA_ARGS__)
#define LOG_INFO(...) ::spdlog::info(__VA_ARGS__)
#define LOG_WARN(...) ::spdlog::warn(__VA_ARGS__)
#define LOG_ERROR(...) ::spdlog::error(__VA_ARGS__)
