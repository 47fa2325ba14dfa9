#include "client/run_set.h"

#include <algorithm>

namespace cairn::client {

RunSet::RunSet(const google::protobuf::RepeatedPtrField<v1::ChunkRun>& runs) {
  for (const v1::ChunkRun& run : runs) AddRange(run.first(), uint64_t{run.first()} + run.count());
}

void RunSet::AddRange(uint64_t first, uint64_t end) {
  if (first >= end) return;
  auto it = runs_.upper_bound(first);
  if (it != runs_.begin() && std::prev(it)->second >= first) --it;
  while (it != runs_.end() && it->first <= end) {
    first = std::min(first, it->first);
    end = std::max(end, it->second);
    it = runs_.erase(it);
  }
  runs_.emplace(first, end);
}

void RunSet::AddAll(const RunSet& other) {
  for (const auto& [first, end] : other.runs_) AddRange(first, end);
}

void RunSet::CutAt(uint64_t end) {
  runs_.erase(runs_.lower_bound(end), runs_.end());
  if (!runs_.empty()) runs_.rbegin()->second = std::min(runs_.rbegin()->second, end);
}

uint64_t RunSet::count() const {
  uint64_t count = 0;
  for (const auto& [first, end] : runs_) count += end - first;
  return count;
}

bool RunSet::Contains(uint64_t index) const {
  auto it = runs_.upper_bound(index);
  return it != runs_.begin() && std::prev(it)->second > index;
}

bool RunSet::ContainsAll(const RunSet& other) const {
  return std::all_of(other.runs_.begin(), other.runs_.end(), [this](const auto& run) {
    auto it = runs_.upper_bound(run.first);
    return it != runs_.begin() && std::prev(it)->second >= run.second;
  });
}

void RunSet::CopyTo(google::protobuf::RepeatedPtrField<v1::ChunkRun>* out) const {
  for (const auto& [first, end] : runs_) {
    v1::ChunkRun* run = out->Add();
    run->set_first(static_cast<uint32_t>(first));
    run->set_count(static_cast<uint32_t>(end - first));
  }
}

}  // namespace cairn::client
