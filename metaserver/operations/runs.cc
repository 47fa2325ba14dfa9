#include "metaserver/operations/runs.h"

#include <algorithm>

namespace cairn {

namespace {

uint64_t EndOf(const v1::ChunkRun& run) {
  return uint64_t{run.first()} + run.count();
}

void SetRun(v1::ChunkRun& run, uint64_t first, uint64_t end) {
  run.set_first(static_cast<uint32_t>(first));
  run.set_count(static_cast<uint32_t>(end - first));
}

}  // namespace

Status CheckRun(const v1::ChunkRun& run) {
  if (run.count() == 0) return Status(ErrorCode::kInvalidArgument, "a run of no chunks");
  if (EndOf(run) <= kMaxChunks) return OkStatus();
  return Status::Error(ErrorCode::kFileTooBig, "a run of {} chunks from {}", run.count(),
                       run.first());
}

bool AddRun(ChunkRuns& runs, uint64_t first, uint64_t end) {
  if (first >= end) return false;
  auto from =
      std::lower_bound(runs.begin(), runs.end(), first,
                       [](const v1::ChunkRun& run, uint64_t at) { return EndOf(run) < at; });
  auto to = std::upper_bound(from, runs.end(), end,
                             [](uint64_t at, const v1::ChunkRun& run) { return at < run.first(); });
  if (from == to) {  // touches none
    const int index = static_cast<int>(from - runs.begin());
    SetRun(*runs.Add(), first, end);
    std::rotate(runs.begin() + index, runs.end() - 1, runs.end());
    return true;
  }
  const uint64_t merged_first = std::min<uint64_t>(first, from->first());
  const uint64_t merged_end = std::max(end, EndOf(*(to - 1)));
  if (to - from == 1 && merged_first == from->first() && merged_end == EndOf(*from)) return false;
  SetRun(*from, merged_first, merged_end);
  runs.erase(from + 1, to);
  return true;
}

void AddRuns(ChunkRuns& runs, const ChunkRuns& more) {
  for (const v1::ChunkRun& run : more) AddRun(runs, run.first(), EndOf(run));
}

void CutRuns(ChunkRuns& runs, uint64_t end) {
  while (!runs.empty() && runs.rbegin()->first() >= end) runs.RemoveLast();
  if (runs.empty()) return;
  v1::ChunkRun& last = *runs.rbegin();
  if (EndOf(last) > end) SetRun(last, last.first(), end);
}

ChunkRuns RunsFrom(const ChunkRuns& runs, uint64_t first) {
  ChunkRuns from;
  for (const v1::ChunkRun& run : runs) {
    if (EndOf(run) > first) SetRun(*from.Add(), std::max<uint64_t>(run.first(), first), EndOf(run));
  }
  return from;
}

uint64_t EndOfRuns(const ChunkRuns& runs) { return runs.empty() ? 0 : EndOf(*runs.rbegin()); }

}  // namespace cairn
