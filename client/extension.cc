#include "client/extension.h"

#include <algorithm>
#include <limits>

namespace cairn::client {

namespace {
constexpr uint64_t kMostChunks = std::numeric_limits<uint32_t>::max();
}

void Extension::BeginWithNewFile() {
  announced_.AddRange(0, kChunksOfNewFile);
  named_ = true;
}

std::optional<v1::ChunkRun> Extension::Ask(uint32_t chunk_size) {
  if (waiting_.empty() || asked_ || ending_) return std::nullopt;
  const uint64_t first = waiting_.front().offset / chunk_size;
  const uint64_t count =
      std::clamp<uint64_t>(announced_.count(), kChunksOfNewFile, kMaxExtendChunks);
  asked_.emplace();
  asked_->set_first(static_cast<uint32_t>(first));
  asked_->set_count(static_cast<uint32_t>(std::min(count, kMostChunks - first)));
  named_ = true;  // also if the answer never comes
  return asked_;
}

void Extension::Announced() {
  announced_.AddRange(asked_->first(), uint64_t{asked_->first()} + asked_->count());
  asked_.reset();
}

std::vector<Segment> Extension::Refused() {
  asked_.reset();
  return std::exchange(waiting_, {});
}

bool Extension::EndWithCommit() {
  if (!named_ || asked_ || spoilt_) return false;
  announced_.Clear();
  ending_ = true;
  return true;
}

void Extension::CommitAnswered(bool ended) {
  if (std::exchange(ending_, false) && ended) named_ = false;
}

void Extension::Spoil() {
  spoilt_ = spoilt_ || named_;
}

Extension::Standing Extension::standing() const {
  if (spoilt_) return Standing::kSpoilt;
  return named_ ? Standing::kAnnounced : Standing::kNone;
}

}  // namespace cairn::client
