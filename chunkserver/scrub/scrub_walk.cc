#include "chunkserver/scrub/scrub_walk.h"

#include <algorithm>
#include <vector>

namespace cairn {
namespace {
constexpr uint32_t kBlocksPerPiece = kMaxTransferBytes / kBlockSize;
}  // namespace

void ScrubWalk::Begin(PgId group, ChunkId after) {
  group_ = group;
  after_ = after;
  blocks_ = 0;
  group_bytes_ = 0;
}

std::optional<PgId> ScrubWalk::CurrentGroup() const {
  const auto found = std::lower_bound(kept_.begin(), kept_.end(), group_);
  if (found == kept_.end()) return std::nullopt;
  return *found;
}

Status ScrubWalk::EnterChunk(ChunkId id) {
  ASSIGN_OR_RETURN(const std::optional<ChunkBlocks> blocks, store_.Blocks(id));
  chunk_ = id;
  next_block_ = 0;
  blocks_ = blocks.has_value() ? static_cast<uint32_t>(blocks->crcs.size()) : 0;
  if (blocks_ == 0) after_ = id;  // gone meanwhile, or nothing of it was ever written
  return OkStatus();
}

ScrubStep ScrubWalk::NextPiece() {
  ScrubStep step{ScrubStep::Kind::kBlocks, group_, chunk_, next_block_,
                 std::min(kBlocksPerPiece, blocks_ - next_block_)};
  next_block_ += step.count;
  group_bytes_ += uint64_t{step.count} * kBlockSize;
  if (next_block_ == blocks_) {
    blocks_ = 0;
    after_ = chunk_;
  }
  return step;
}

Result<ScrubStep> ScrubWalk::Next() {
  if (blocks_ != 0) return NextPiece();
  const std::optional<PgId> group = CurrentGroup();
  if (!group.has_value()) return ScrubStep();
  if (*group != group_) Begin(*group, ChunkId());
  while (blocks_ == 0) {
    ASSIGN_OR_RETURN(const std::vector<ChunkInfo> next, store_.List(group_, after_, 1));
    if (next.empty()) {
      const ScrubStep done{.kind = ScrubStep::Kind::kGroupDone, .group = group_, .chunk = {}};
      Begin(PgId(group_.value + 1), ChunkId());
      return done;
    }
    RETURN_IF_ERROR(EnterChunk(next.front().id));
  }
  return NextPiece();
}

uint64_t ScrubWalk::total_bytes() const {
  uint64_t total = 0;
  for (const PgId group : kept_) total += store_.Usage(group).bytes();
  return total;
}

uint64_t ScrubWalk::done_bytes() const {
  uint64_t done = 0;
  for (const PgId group : kept_) {
    if (group < group_) done += store_.Usage(group).bytes();
    if (group == group_) done += std::min(group_bytes_, store_.Usage(group).bytes());
  }
  return done;
}

}  // namespace cairn
