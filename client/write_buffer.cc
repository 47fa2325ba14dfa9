#include "client/write_buffer.h"

#include <algorithm>
#include <cstring>

#include "client/block_range.h"
#include "common/status.h"

namespace cairn::client {

namespace {

uint64_t WindowEnd(uint64_t offset) { return (offset / kWindowBytes + 1) * kWindowBytes; }
size_t RoundedUp(size_t bytes) { return static_cast<size_t>(BlockEnd(bytes)); }

void CopyInto(Segment& segment, uint64_t offset, std::span<const std::byte> data) {
  std::memcpy(segment.bytes.writable().data() + (offset - segment.offset), data.data(),
              data.size());
}

bool Overlaps(const Segment& segment, uint64_t begin, uint64_t end) {
  return segment.offset < end && begin < segment.end();
}

}  // namespace

void WriteBuffer::Insert(uint64_t offset, std::span<const std::byte> data, uint64_t write) {
  while (!data.empty()) {
    size_t here = static_cast<size_t>(std::min<uint64_t>(data.size(), WindowEnd(offset) - offset));
    InsertInWindow(offset, data.first(here), write);
    offset += here;
    data = data.subspan(here);
  }
}

void WriteBuffer::InsertInWindow(uint64_t offset, std::span<const std::byte> data,
                                 uint64_t write) {
  uint64_t end = offset + data.size();
  uint64_t window = WindowEnd(offset) - kWindowBytes;
  auto first = dirty_.upper_bound(offset);
  if (first != dirty_.begin() && std::prev(first)->second.end() >= offset &&
      std::prev(first)->first >= window) {
    --first;
  }
  auto last = first;  // [first, last) touch the new bytes
  while (last != dirty_.end() && last->first <= end && last->first < window + kWindowBytes) ++last;

  if (first != last && std::next(first) == last && first->first <= offset) {
    first->second.last_write = write;
    Extend(first->second, offset, data);
    List(first->second);
    return;
  }
  Segment merged;
  merged.offset = first == last ? offset : std::min(offset, first->first);
  uint64_t merged_end = first == last ? end : std::max(end, std::prev(last)->second.end());
  merged.length = static_cast<size_t>(merged_end - merged.offset);
  merged.bytes = Payload::Allocate(RoundedUp(merged.length));
  merged.first_write = write;
  merged.last_write = write;
  for (auto it = first; it != last; ++it) {
    const Segment& old = it->second;
    CopyInto(merged, old.offset, old.bytes.bytes().first(old.length));
    merged.first_write = std::min(merged.first_write, old.first_write);
    Discount(old);
    Unlist(old);
  }
  CopyInto(merged, offset, data);
  Count(merged);
  List(merged);
  dirty_.erase(first, last);
  dirty_.emplace(merged.offset, std::move(merged));
}

void WriteBuffer::List(const Segment& segment) {
  by_age_.emplace(segment.first_write, segment.offset);
  if (segment.end() % kWindowBytes == 0) filled_.insert(segment.offset);
}

void WriteBuffer::Unlist(const Segment& segment) {
  by_age_.erase({segment.first_write, segment.offset});
  filled_.erase(segment.offset);
}

void WriteBuffer::Extend(Segment& segment, uint64_t offset, std::span<const std::byte> data) {
  size_t needed = static_cast<size_t>(offset - segment.offset) + data.size();
  bool overwrites = offset < segment.end();
  if (needed > segment.bytes.size() || (segment.shared && overwrites)) {
    // A second write behind the first promises a third: room for the whole window. Memory that is
    // never touched costs nothing.
    size_t room = needed > segment.bytes.size()
                      ? static_cast<size_t>(WindowEnd(segment.offset) - segment.offset)
                      : segment.bytes.size();
    Payload bytes = Payload::Allocate(room);
    std::memcpy(bytes.writable().data(), segment.bytes.bytes().data(), segment.length);
    segment.bytes = std::move(bytes);
    segment.shared = false;
  }
  CopyInto(segment, offset, data);
  charge_ += std::max(needed, segment.length) - segment.length;
  segment.length = std::max(needed, segment.length);
}

void WriteBuffer::Count(const Segment& segment) {
  charge_ += segment.length + kSegmentOverhead;
  oldest_.insert(segment.first_write);
}

void WriteBuffer::Discount(const Segment& segment) {
  charge_ -= segment.length + kSegmentOverhead;
  oldest_.erase(oldest_.find(segment.first_write));
}

bool WriteBuffer::Blocked(const Segment& segment) const {
  uint64_t begin = BlockStart(segment.offset);
  uint64_t end = BlockEnd(segment.end());
  return std::any_of(under_way_.begin(), under_way_.end(), [&](const auto& entry) {
    const Segment& frame = entry.second;
    return BlockStart(frame.offset) < end && begin < BlockEnd(frame.end());
  });
}

std::optional<uint64_t> WriteBuffer::Choose(uint64_t up_to) {
  if (!by_age_.empty() && by_age_.begin()->first <= up_to) return by_age_.begin()->second;
  return filled_.empty() ? std::nullopt : std::optional(*filled_.begin());
}

std::optional<Segment> WriteBuffer::Take(uint64_t up_to) {
  while (std::optional<uint64_t> offset = Choose(up_to)) {
    auto it = dirty_.find(*offset);
    Segment& segment = it->second;
    Unlist(segment);
    if (Blocked(segment)) continue;
    segment.shared = true;
    Segment taken = segment;
    under_way_bytes_ += segment.length;
    under_way_.insert(dirty_.extract(it));
    return taken;
  }
  return std::nullopt;
}

void WriteBuffer::Finish(uint64_t offset) {
  auto it = under_way_.find(offset);
  CAIRN_CHECK(it != under_way_.end());
  uint64_t begin = BlockStart(offset);
  uint64_t end = BlockEnd(it->second.end());
  Discount(it->second);
  under_way_bytes_ -= it->second.length;
  under_way_.erase(it);
  // Those that it was in the way of; another may still be.
  auto freed = dirty_.upper_bound(begin);
  if (freed != dirty_.begin()) --freed;
  for (; freed != dirty_.end() && freed->first < end; ++freed) List(freed->second);
}

void WriteBuffer::DropDirty() {
  for (const auto& [offset, segment] : dirty_) Discount(segment);
  dirty_.clear();
  by_age_.clear();
  filled_.clear();
}

std::vector<WriteBuffer::Slice> WriteBuffer::Overlap(uint64_t offset, uint64_t length) {
  std::vector<Slice> slices;
  for (Segments* segments : {&under_way_, &dirty_}) {
    auto it = segments->upper_bound(offset);
    if (it != segments->begin()) --it;
    for (; it != segments->end() && it->first < offset + length; ++it) {
      Segment& segment = it->second;
      if (!Overlaps(segment, offset, offset + length)) continue;
      uint64_t begin = std::max(offset, segment.offset);
      uint64_t end = std::min(offset + length, segment.end());
      segment.shared = true;
      slices.push_back({begin, segment.bytes.Slice(static_cast<size_t>(begin - segment.offset),
                                                   static_cast<size_t>(end - begin))});
    }
  }
  return slices;
}

uint64_t WriteBuffer::end() const {
  uint64_t end = 0;
  for (const Segments* segments : {&under_way_, &dirty_}) {
    if (!segments->empty()) end = std::max(end, segments->rbegin()->second.end());
  }
  return end;
}

uint64_t WriteBuffer::LowestOlderThan(uint64_t write) const {
  uint64_t lowest = kNoWrite;
  for (const Segments* segments : {&under_way_, &dirty_}) {
    for (const auto& [offset, segment] : *segments) {
      if (segment.first_write < write) lowest = std::min(lowest, offset);
    }
  }
  return lowest;
}

bool WriteBuffer::Touches(uint64_t begin, uint64_t end) const {
  for (const Segments* segments : {&under_way_, &dirty_}) {
    auto it = segments->lower_bound(end);
    if (it != segments->begin() && std::prev(it)->second.end() > begin) return true;
  }
  return false;
}

}  // namespace cairn::client
