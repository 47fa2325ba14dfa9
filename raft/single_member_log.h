// The replicated log of a cluster with one metaserver: what this one disk holds is agreed on. It
// leads from the start and every start is a term of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/file.h"
#include "raft/replicated_log.h"
#include "raft/storage/log_storage.h"

namespace cairn {

struct SingleMemberLogOptions {
  LogStorageOptions storage;
  size_t max_batch_bytes = 4u << 20;  // of commands in one write
  size_t kept_segments = 2;           // with more of them the state is made durable and old ones go
  // Called once, when the disk has failed and nothing is committed any more (rule M4), before
  // whoever waits is told. Must be quick.
  std::function<void(const Status& cause)> on_failed;
};

// Applies what the log holds above machine.AppliedIndex(), then takes proposals. `files` and
// `machine` must outlive the log. kCorruption: the log or the state has lost entries that were
// acknowledged (rule M5). A command over log_format::kMaxCommandBytes is refused with kTooLarge; on
// a full disk proposals fail with kNoSpace and succeed again when there is room.
// Stop() must not be called from a Done; the destructor calls it.
Result<std::unique_ptr<ReplicatedLog>> OpenSingleMemberLog(
    const std::string& directory, FileSystem& files, StateMachine& machine,
    const SingleMemberLogOptions& options = {});

}  // namespace cairn
