#include "client/unsynced_chunks.h"

#include <algorithm>

namespace cairn::client {

void UnsyncedChunks::SplitAt(uint64_t index) {
  auto it = runs_.lower_bound(index);
  if (it == runs_.begin()) return;
  --it;
  if (it->second.end <= index) return;
  runs_.emplace(index, it->second);
  it->second.end = index;
}

void UnsyncedChunks::Merge(uint64_t first, uint64_t end) {
  auto it = runs_.lower_bound(first);
  if (it != runs_.begin()) --it;
  while (it != runs_.end() && it->first <= end) {
    const auto next = std::next(it);
    const bool meet = next != runs_.end() && next->first == it->second.end &&
                      next->second.oldest == it->second.oldest;
    if (!meet) {
      it = next;
      continue;
    }
    it->second.end = next->second.end;
    runs_.erase(next);
  }
}

void UnsyncedChunks::AddRange(uint64_t first, uint64_t end, Epoch written) {
  if (first >= end) return;
  SplitAt(first);
  SplitAt(end);
  uint64_t at = first;
  for (auto it = runs_.lower_bound(first); it != runs_.end() && it->first < end; ++it) {
    if (at < it->first) runs_.emplace_hint(it, at, Run{it->first, written});
    it->second.oldest = std::min(it->second.oldest, written);
    at = it->second.end;
  }
  if (at < end) runs_.emplace(at, Run{end, written});
  Merge(first, end);
}

void UnsyncedChunks::AddAll(const UnsyncedChunks& other) {
  for (const auto& [first, run] : other.runs_) AddRange(first, run.end, run.oldest);
}

void UnsyncedChunks::AddUnknown(const RunSet& chunks) {
  for (const auto& [first, end] : chunks.runs()) AddRange(first, end, kNoOwnWrite);
}

uint64_t UnsyncedChunks::count() const {
  uint64_t count = 0;
  for (const auto& [first, run] : runs_) count += run.end - first;
  return count;
}

bool UnsyncedChunks::HasOwnWrites() const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [](const auto& entry) { return entry.second.oldest != kNoOwnWrite; });
}

UnsyncedChunks UnsyncedChunks::WithoutOwnWrites() const {
  UnsyncedChunks chunks;
  for (const auto& [first, run] : runs_) chunks.AddRange(first, run.end, kNoOwnWrite);
  return chunks;
}

}  // namespace cairn::client
