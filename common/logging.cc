#include "common/logging.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <memory>
#include <optional>

namespace cairn {

namespace {
std::optional<spdlog::level::level_enum> ParseLevel(const std::string& name) {
  if (name == "trace") return spdlog::level::trace;
  if (name == "debug") return spdlog::level::debug;
  if (name == "info") return spdlog::level::info;
  if (name == "warn") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return std::nullopt;
}

Result<spdlog::sink_ptr> OpenSink(const std::string& file) {
  if (file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  } catch (const spdlog::spdlog_ex& error) {
    return Fail(ErrorCode::kIoError, "log file {}: {}", file, error.what());
  }
}
}  // namespace

Status InitLogging(const LogOptions& options) {
  std::optional<spdlog::level::level_enum> level = ParseLevel(options.level);
  if (!level) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "unknown log level '{}': one of trace, debug, info, warn, error",
                         options.level);
  }
  ASSIGN_OR_RETURN(spdlog::sink_ptr sink, OpenSink(options.file));
  auto logger = std::make_shared<spdlog::logger>(options.name, std::move(sink));
  logger->set_level(*level);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %n %v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_every(std::chrono::seconds(1));
  return OkStatus();
}

}  // namespace cairn
