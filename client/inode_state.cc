#include "client/inode_state.h"

#include <algorithm>
#include <tuple>

namespace cairn::client {

namespace {

bool Later(const WallTime& time, const v1::Time& than) {
  return std::tuple(time.seconds, time.nanoseconds) >
         std::tuple(than.seconds(), than.nanoseconds());
}

void SetTime(v1::Time* out, const WallTime& time) {
  out->set_seconds(time.seconds);
  out->set_nanoseconds(time.nanoseconds);
}

bool IsChunkSize(uint32_t bytes) {
  return bytes >= kMinChunkSize && bytes <= kMaxChunkSize && (bytes & (bytes - 1)) == 0;
}

}  // namespace

void Uncommitted::Add(const Uncommitted& other) {
  end = std::max(end, other.end);
  runs.AddAll(other.runs);
  first_write = std::min(first_write, other.first_write);
  last_write = std::max(last_write, other.last_write);
}

void Uncommitted::CutAt(uint64_t length, uint32_t chunk_size) {
  end = std::min(end, length);
  runs.CutAt((length + chunk_size - 1) / chunk_size);
}

uint64_t BytesIn(const RunSet& runs, uint32_t chunk_size, uint64_t size) {
  uint64_t bytes = 0;
  for (const auto& [first, end] : runs.runs()) {
    uint64_t from = std::min(first * chunk_size, size);
    bytes += std::min(end * chunk_size, size) - from;
  }
  return bytes;
}

void InodeState::Learn(const v1::EntryResponse& entry) {
  if (entry.attributes().version() < attributes.version()) return;
  bool has_map = entry.has_file() && IsChunkSize(entry.file().layout().chunk_size());
  if (has_map && entry.file().generation() > file.generation()) {
    // Somebody cut the file. What was acknowledged before the cut and not told yet is clipped as
    // the metaserver would clip it, and goes on under the new generation.
    for (const v1::Cut& cut : entry.file().cuts()) {
      if (cut.generation() <= file.generation()) continue;
      for (Uncommitted* untold : {&uncommitted, &postponed, &committing}) {
        untold->CutAt(cut.length(), entry.file().layout().chunk_size());
      }
    }
    cache.Clear();
  }
  attributes = entry.attributes();
  if (!has_map) return;
  file = entry.file();
  runs = RunSet(file.runs());
}

void InodeState::LearnOwnChange(const v1::EntryResponse& entry) {
  if (entry.attributes().version() == cached_version + 1) ++cached_version;
  Learn(entry);
}

void InodeState::Failed(const Status& status) {
  error = status;
  ++errors;
  error_untold = true;
}

uint64_t InodeState::Size() const {
  return std::max(
      {attributes.size(), buffer.end(), uncommitted.end, postponed.end, committing.end});
}

bool InodeState::Clean() const {
  return buffer.empty() && !uncommitted.any() && !postponed.any() && !commit_under_way;
}

bool InodeState::Settled(uint64_t write) const { return buffer.oldest_write() > write; }

bool InodeState::Committed(uint64_t write) const {
  return Settled(write) && uncommitted.first_write > write && postponed.first_write > write &&
         committing.first_write > write;
}

void InodeState::BeginRound() {
  uint64_t untold = std::min(uncommitted.first_write, postponed.first_write);
  if (Settled(round_end) && untold > round_end) round_end = flush_up_to;
}

bool InodeState::CommitIsDue() const {
  uint64_t untold = std::min(uncommitted.first_write, postponed.first_write);
  return untold <= round_end && Settled(round_end) && !commit_under_way && commit_holds == 0;
}

InodeState::Presence InodeState::PresenceOf(uint32_t index) const {
  if (runs.Contains(index) || uncommitted.runs.Contains(index) ||
      postponed.runs.Contains(index) || committing.runs.Contains(index)) {
    return Presence::kHolds;
  }
  uint64_t begin = uint64_t{index} * file.layout().chunk_size();
  return buffer.Touches(begin, begin + file.layout().chunk_size()) ? Presence::kMay
                                                                   : Presence::kHole;
}

bool InodeState::MustAnnounce(uint32_t index, uint64_t end) const {
  return end > attributes.size() && !extension.Covers(index);
}

v1::Attributes InodeState::Overlaid() const {
  v1::Attributes shown = attributes;
  shown.set_size(Size());
  if (modify_pending || committing.modify_time.has_value()) {
    SetTime(shown.mutable_modify_time(), modify_time);
    if (Later(modify_time, shown.change_time())) SetTime(shown.mutable_change_time(), modify_time);
  }
  return shown;
}

uint64_t InodeState::HeldBytes() const {
  RunSet all = runs;
  all.AddAll(uncommitted.runs);
  all.AddAll(postponed.runs);
  all.AddAll(committing.runs);
  uint64_t told = BytesIn(all, file.layout().chunk_size(), Size());
  return std::min(Size(), std::max(told, told + buffer.charge()));
}

v1::ChunkAddress InodeState::AddressOf(uint32_t index, TokenUse use) const {
  v1::ChunkAddress address;
  address.set_inode(id.value);
  address.set_index(index);
  address.set_chunk_size(file.layout().chunk_size());
  address.set_generation(file.generation());
  address.set_session(session.value);
  address.set_token(tokens.For(use));
  uint64_t chunk_end = (uint64_t{index} + 1) * file.layout().chunk_size();
  for (const v1::Cut& cut : file.cuts()) {
    if (cut.length() < chunk_end) *address.add_cuts() = cut;
  }
  return address;
}

}  // namespace cairn::client
