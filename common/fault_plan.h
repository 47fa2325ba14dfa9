// What shall go wrong, told in one value: rules that the file layer and the transport ask before
// each operation. Empty plans cost one relaxed load. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/status.h"

namespace cairn {

enum class FaultOperation { kRead, kWrite, kSync, kOpen, kSend, kReceive, kConnect };

enum class FaultKind {
  kDelay,       // wait `delay`, then go on
  kIoError,     // EIO (file) or a broken connection (transport)
  kNoSpace,     // ENOSPC
  kTorn,        // half of the bytes are written, then EIO
  kDrop,        // transport: the frame vanishes; file: the bytes are lost, success is answered
  kCut,         // transport: the connection is closed
  kCrash,       // the process ends at once, as by kill -9
};

struct FaultRule {
  FaultOperation operation = FaultOperation::kWrite;
  FaultKind kind = FaultKind::kIoError;
  std::string where{};      // substring of the path or of the peer's address; empty is everywhere
  uint32_t skip = 0;        // leave the first `skip` matches alone
  uint32_t times = 0;       // then act so many times; 0 is for ever
  std::chrono::milliseconds delay{0};
};

class FaultPlan {
 public:
  void Set(std::vector<FaultRule> rules);
  void Clear() { Set({}); }
  // The fault for this operation, if any; counts the match.
  std::optional<FaultRule> Match(FaultOperation operation, std::string_view where);

 private:
  struct Armed {
    FaultRule rule;
    uint32_t matched = 0;
  };
  std::atomic<bool> armed_{false};
  absl::Mutex mu_;
  std::vector<Armed> rules_ ABSL_GUARDED_BY(mu_);
};

// One rule per line: "write torn where=chunks/ skip=2 times=1", "send delay=20ms where=[::1]:7410".
// Faults: delay=N[ms|s] eio enospc torn drop cut crash. Empty lines and lines after # are skipped.
// kInvalidArgument names the line.
Result<std::vector<FaultRule>> ParseFaultRules(std::string_view text);

}  // namespace cairn
