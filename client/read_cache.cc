#include "client/read_cache.h"

#include <utility>

namespace cairn::client {

ReadAheadPtr ReadCache::Find(uint64_t offset) const {
  auto it = windows_.find(offset / kWindowBytes);
  if (it == windows_.end()) return nullptr;
  const ReadAheadPtr& entry = it->second;
  bool inside = entry->offset <= offset && offset < entry->offset + entry->length;
  return inside ? entry : nullptr;
}

void ReadCache::Add(ReadAheadPtr entry) {
  uint64_t window = entry->offset / kWindowBytes;
  Forget(entry->offset, entry->offset + 1);
  bytes_ += entry->length;
  windows_[window] = std::move(entry);
}

void ReadCache::Forget(uint64_t begin, uint64_t end) {
  if (begin >= end) return;
  auto it = windows_.lower_bound(begin / kWindowBytes);
  while (it != windows_.end() && it->first <= (end - 1) / kWindowBytes) {
    bytes_ -= it->second->length;
    it = windows_.erase(it);
  }
}

}  // namespace cairn::client
