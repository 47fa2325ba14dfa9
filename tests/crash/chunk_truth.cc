#include "tests/crash/chunk_truth.h"

#include <algorithm>
#include <utility>

namespace cairn::crash {
namespace {

constexpr size_t kSectorBytes = 512;

bool SameBlock(const Block& a, const Block& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a == b || *a == *b;
}

std::string Describe(const std::optional<RowTruth>& row) {
  if (!row) return "no chunk";
  return fmt::format("version {}.{} stamp {} request {}/{}", row->version.epoch.value,
                     row->version.counter, row->stamp, row->session.value, row->sequence);
}

}  // namespace

std::optional<RowTruth> RowOf(const std::optional<ChunkInfo>& info) {
  if (!info) return std::nullopt;
  return RowTruth{info->version, info->generation, info->last_session, info->last_sequence};
}

void ChunkTruth::Change(ChunkState next) {
  states_.push_back(std::move(next));
}

void ChunkTruth::Touch(uint32_t block) {
  touched_[block] = true;
}

void ChunkTruth::Pass(uint32_t block, const Block& bytes) {
  passed_[block].push_back(bytes);
}

void ChunkTruth::TouchAll() {
  touched_.fill(true);
}

void ChunkTruth::Settle() {
  states_.erase(states_.begin(), states_.end() - 1);
  // What is suspect stays so until it is written anew.
  for (uint32_t block = 0; block < kSpanBlocks; ++block) {
    const Block& bytes = now().blocks[block];
    const bool stays_suspect = touched_[block] && bytes != nullptr && bytes->empty();
    touched_[block] = stays_suspect;
    if (!stays_suspect) passed_[block].clear();
  }
}

void ChunkTruth::BeginAgain(const FoundChunk& found) {
  states_ = {ChunkState{.row = RowOf(found.info), .blocks = found.blocks}};
  touched_ = found.suspect;
  for (uint32_t block = 0; block < kSpanBlocks; ++block) {
    if (!found.suspect[block]) passed_[block].clear();
  }
}

std::string ChunkTruth::WhyNot(const FoundChunk& found) const {
  if (!found.broken.empty()) return found.broken;
  std::string why;
  for (auto state = states_.rbegin(); state != states_.rend(); ++state) {
    if (state->row != RowOf(found.info)) continue;
    why = Mismatch(*state, found);
    if (why.empty()) return why;
  }
  if (!why.empty()) return why;
  return fmt::format("C9: {} was found, surely on disk was {}, last was {}",
                     Describe(RowOf(found.info)), Describe(states_.front().row),
                     Describe(now().row));
}

std::string ChunkTruth::WhyNotNow(const FoundChunk& found) const {
  if (!found.broken.empty()) return found.broken;
  if (now().row != RowOf(found.info)) {
    return fmt::format("{} was found, not {}", Describe(RowOf(found.info)), Describe(now().row));
  }
  for (uint32_t block = 0; block < kSpanBlocks; ++block) {
    if (found.suspect[block]) return fmt::format("block {} is suspect without a cause", block);
  }
  return Mismatch(now(), found);
}

std::string ChunkTruth::Mismatch(const ChunkState& state, const FoundChunk& found) const {
  for (uint32_t block = 0; block < kSpanBlocks; ++block) {
    if (found.suspect[block]) {
      if (found.info->sealed) return fmt::format("C5: block {} of a sealed chunk is bad", block);
      if (state.blocks[block] == nullptr) return fmt::format("block {} should be absent", block);
      if (!touched_[block]) {
        return fmt::format("fsync: block {} is suspect, and was on disk", block);
      }
      continue;
    }
    if (SameBlock(state.blocks[block], found.blocks[block])) continue;
    return fmt::format("C8: block {} does not hold what {} put there{}", block, Describe(state.row),
                       found.blocks[block] == nullptr ? ": absent" : "");
  }
  return {};
}

// What is absent in a state was erased on disk before any later state began to get there.
size_t ChunkTruth::OldestSource(uint32_t block, const std::optional<ChunkInfo>& info) const {
  size_t state = states_.size() - 1;
  auto is_found = [&](const ChunkState& found) {
    return found.row == RowOf(info) && found.blocks[block] != nullptr;
  };
  while (state > 0 && !is_found(states_[state])) --state;
  while (state > 0 && states_[state].blocks[block] != nullptr) --state;
  return state;
}

bool ChunkTruth::MayHold(uint32_t block, size_t oldest, size_t at, std::string_view sector) const {
  auto is_of = [&](const Block& bytes) {
    return bytes != nullptr && !bytes->empty() && bytes->compare(at, sector.size(), sector) == 0;
  };
  bool was_anything = false;
  for (size_t i = oldest; i < states_.size(); ++i) {
    const ChunkState& state = states_[i];
    if (is_of(state.blocks[block])) return true;
    was_anything |= state.blocks[block] == nullptr || state.blocks[block]->empty();
  }
  if (!was_anything) return false;
  if (sector.find_first_not_of('\0') == std::string_view::npos) return true;
  return std::any_of(passed_[block].begin(), passed_[block].end(), is_of);
}

std::string ChunkTruth::WhyNotSectors(const FoundChunk& found, uint32_t block,
                                      const std::string& bytes) const {
  const size_t oldest = OldestSource(block, found.info);
  for (size_t at = 0; at < bytes.size(); at += kSectorBytes) {
    if (MayHold(block, oldest, at, std::string_view(bytes).substr(at, kSectorBytes))) continue;
    return fmt::format("C12: block {} holds at {} what was never written there", block, at);
  }
  // Where the file ends, whatever its size was then, the rest is zeros.
  const std::string rest(kBlockSize - bytes.size(), '\0');
  if (rest.empty() || MayHold(block, oldest, bytes.size(), rest)) return {};
  return fmt::format("C12: the file ends at {} of block {}, which was longer", bytes.size(), block);
}

}  // namespace cairn::crash
