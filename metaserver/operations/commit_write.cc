#include <algorithm>

#include "metaserver/operations/access.h"
#include "metaserver/operations/extenders.h"
#include "metaserver/operations/file_cuts.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/runs.h"
#include "metaserver/operations/times.h"

namespace cairn {

namespace {

Status CheckRequest(const v1::CommitWriteRequest& request, const v1::InodeRecord& inode) {
  if (request.generation() > inode.file().generation()) {
    return Status::Error(ErrorCode::kInvalidArgument, "inode {} has no generation {} yet",
                         request.inode(), request.generation());
  }
  if (request.end() > MaxFileSize(inode.file().layout())) {
    return Status::Error(ErrorCode::kFileTooBig, "a file of {} bytes", request.end());
  }
  for (const v1::ChunkRun& run : request.runs()) RETURN_IF_ERROR(CheckRun(run));
  return CheckTime(request.modify_time());
}

// Adds what lies below `limit_bytes`. True if chunks were new.
bool AddWritten(const v1::CommitWriteRequest& request, uint64_t limit_bytes, v1::FileMap& file) {
  const uint32_t chunk_size = file.layout().chunk_size();
  const uint64_t limit = limit_bytes / chunk_size + (limit_bytes % chunk_size != 0 ? 1 : 0);
  bool added = false;
  for (const v1::ChunkRun& run : request.runs()) {
    const uint64_t end = std::min<uint64_t>(uint64_t{run.first()} + run.count(), limit);
    if (AddRun(*file.mutable_runs(), run.first(), end)) added = true;
  }
  return added;
}

}  // namespace

Result<v1::Outcome> CommitWrite(const v1::Command& command, MetadataTransaction& txn) {
  const v1::CommitWriteRequest& request = command.commit_write();
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadRegularFile(txn, InodeId(request.inode())));
  RETURN_IF_ERROR(CheckNotLeaving(txn, inode));
  RETURN_IF_ERROR(CheckRequest(request, inode));
  v1::Outcome outcome;
  outcome.set_inode(request.inode());

  // What was cut off after it was written stays cut off.
  const std::optional<uint64_t> limit = SmallestCutSince(inode, request.generation());
  if (!limit) {
    return Fail(ErrorCode::kStaleGeneration, "inode {} was cut too often since generation {}",
                request.inode(), request.generation());
  }
  v1::Attributes& attributes = *inode.mutable_attributes();
  const bool added = AddWritten(request, *limit, *inode.mutable_file());
  if (inode.file().runs_size() > kMaxRuns) {
    return Fail(ErrorCode::kFileTooBig, "inode {} has more than {} gaps", request.inode(),
                kMaxRuns);
  }
  const uint64_t end = std::min(request.end(), *limit);
  const bool grew = end > attributes.size();
  const uint32_t stripped = WithoutSetId(attributes.mode());
  const bool strips = request.clear_set_id() && stripped != attributes.mode();
  if (grew) txn.ChangeSize(inode, end);
  bool cut = false;
  if (request.last()) {
    ASSIGN_OR_RETURN(cut, RemoveExtender(SessionId(request.id().session()), inode, txn));
  }
  if (!added && !grew && !cut && !strips && !request.has_modify_time()) return outcome;

  if (strips) attributes.set_mode(stripped);
  // The change was the write, which may lie a while back, not this telling of it.
  if (strips) MarkChanged(inode, command.time());
  if (request.has_modify_time()) {
    *attributes.mutable_modify_time() = request.modify_time();
    if (IsLater(request.modify_time(), attributes.change_time())) {
      MarkChanged(inode, request.modify_time());
    }
  }
  txn.StoreInode(inode);
  return outcome;
}

}  // namespace cairn
