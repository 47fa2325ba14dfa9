#include "metaserver/operations/file_cuts.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "metaserver/operations/access.h"
#include "metaserver/operations/extenders.h"
#include "metaserver/operations/runs.h"
#include "metaserver/operations/times.h"

namespace cairn {

namespace {

using Cuts = google::protobuf::RepeatedPtrField<v1::Cut>;

uint64_t ChunksBelow(uint64_t length, uint32_t chunk_size) {
  return length / chunk_size + (length % chunk_size != 0 ? 1 : 0);
}

// A later cut that is not longer does all that earlier ones did, so lengths grow with generations.
void AppendCut(Cuts& cuts, uint64_t generation, uint64_t length) {
  while (!cuts.empty() && cuts.rbegin()->length() >= length) cuts.RemoveLast();
  v1::Cut& cut = *cuts.Add();
  cut.set_generation(generation);
  cut.set_length(length);
}

void DropOldest(Cuts& cuts, int keep, v1::InodeRecord& inode) {
  while (cuts.size() > keep) {
    inode.set_forgotten_generation(
        std::max(inode.forgotten_generation(), cuts.begin()->generation()));
    cuts.erase(cuts.begin());
  }
}

// `cut_off` may hold bytes beyond the newest cut.
Status AddTrim(const v1::InodeRecord& inode, const ChunkRuns& cut_off, MetadataTransaction& txn) {
  const std::string key = schema::TrimKey(InodeId(inode.attributes().inode()));
  ASSIGN_OR_RETURN(auto trim, LoadRow<v1::TrimRecord>(txn, key));
  v1::TrimRecord merged = std::move(trim).value_or(v1::TrimRecord());
  merged.set_generation(inode.file().generation());
  merged.set_after_fence(txn.state().next_fence());
  AddRuns(*merged.mutable_runs(), cut_off);
  // Too many gaps for one row: what lies in the last ones was never written and costs a look.
  ChunkRuns& runs = *merged.mutable_runs();
  if (runs.size() > kMaxRuns) AddRun(runs, runs[kMaxRuns - 1].first(), EndOfRuns(runs));
  txn.Put(key, merged);
  return OkStatus();
}

Status CutAt(uint64_t size_bytes, v1::InodeRecord& inode, MetadataTransaction& txn) {
  const InodeId id(inode.attributes().inode());
  v1::FileMap& file = *inode.mutable_file();
  const uint32_t chunk_size = file.layout().chunk_size();
  const uint64_t generation = file.generation() + 1;
  Cuts cuts = file.cuts();
  AppendCut(cuts, generation, size_bytes);
  if (cuts.size() > kMaxCuts) {
    return Status::Error(ErrorCode::kBusy, "{} cuts of inode {} wait to be trimmed", kMaxCuts, id);
  }
  file.set_generation(generation);
  file.mutable_cuts()->Swap(&cuts);
  // The chunk the cut falls in, and those of who writes past the size, may have been written and
  // not be told yet.
  const uint64_t first = size_bytes / chunk_size;
  ASSIGN_OR_RETURN(const ChunkRuns untold, ChunksOfExtenders(id, txn));
  ChunkRuns cut_off = RunsFrom(file.runs(), first);
  AddRun(cut_off, first, first + 1);
  AddRuns(cut_off, RunsFrom(untold, first));
  RETURN_IF_ERROR(AddTrim(inode, cut_off, txn));
  CutRuns(*file.mutable_runs(), ChunksBelow(size_bytes, chunk_size));
  return OkStatus();
}

}  // namespace

uint64_t MaxFileSize(const v1::Layout& layout) {
  return std::min<uint64_t>(uint64_t{layout.chunk_size()} * kMaxChunks,
                            std::numeric_limits<int64_t>::max());
}

Status TruncateFile(const v1::Command& command, const v1::Caller& caller, uint64_t size_bytes,
                    v1::InodeRecord& inode, MetadataTransaction& txn) {
  RETURN_IF_ERROR(CheckNotLeaving(txn, inode));
  if (size_bytes > MaxFileSize(inode.file().layout())) {
    return Status::Error(ErrorCode::kFileTooBig, "a file of {} bytes", size_bytes);
  }
  if (size_bytes < inode.attributes().size()) RETURN_IF_ERROR(CutAt(size_bytes, inode, txn));
  if (size_bytes > inode.attributes().size()) RETURN_IF_ERROR(CutForTheGone(inode, txn));
  txn.ChangeSize(inode, size_bytes);
  v1::Attributes& attributes = *inode.mutable_attributes();
  if (!IsRoot(caller)) attributes.set_mode(WithoutSetId(attributes.mode()));
  MarkModified(inode, command.time());
  return OkStatus();
}

Status CutAtSize(v1::InodeRecord& inode, MetadataTransaction& txn) {
  return CutAt(inode.attributes().size(), inode, txn);
}

std::optional<uint64_t> SmallestCutSince(const v1::InodeRecord& inode, uint64_t generation) {
  if (generation < inode.forgotten_generation()) return std::nullopt;
  uint64_t smallest = std::numeric_limits<uint64_t>::max();
  for (const Cuts* cuts : {&inode.finished_cuts(), &inode.file().cuts()}) {
    for (const v1::Cut& cut : *cuts) {
      if (cut.generation() > generation) smallest = std::min(smallest, cut.length());
    }
  }
  return smallest;
}

Cuts KnownCuts(const v1::InodeRecord& inode) {
  Cuts known = inode.finished_cuts();
  for (const v1::Cut& cut : inode.file().cuts()) AppendCut(known, cut.generation(), cut.length());
  return known;
}

void FinishCuts(uint64_t generation, v1::InodeRecord& inode) {
  Cuts& cuts = *inode.mutable_file()->mutable_cuts();
  while (!cuts.empty() && cuts.begin()->generation() <= generation) {
    AppendCut(*inode.mutable_finished_cuts(), cuts.begin()->generation(), cuts.begin()->length());
    cuts.erase(cuts.begin());
  }
  DropOldest(*inode.mutable_finished_cuts(), kMaxFinishedCuts, inode);
}

Status CheckNotLeaving(const MetadataTransaction& txn, const v1::InodeRecord& inode) {
  if (inode.attributes().links() > 0) return OkStatus();
  const InodeId id(inode.attributes().inode());
  ASSIGN_OR_RETURN(auto orphan, LoadRow<v1::OrphanRecord>(txn, schema::OrphanKey(id)));
  if (orphan && !orphan->holders().empty()) return OkStatus();
  return Status::Error(ErrorCode::kStaleHandle, "inode {} is being removed", id);
}

}  // namespace cairn
