#include "tests/simulation/chunks/file_truth.h"

#include <algorithm>
#include <cstring>

#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {
constexpr uint32_t kSectorsPerBlock = kBlockSize / kSectorBytes;
}  // namespace

void FillSectors(std::span<std::byte> bytes, uint64_t tag) {
  for (size_t at = 0; at + sizeof tag <= bytes.size(); at += sizeof tag) {
    std::memcpy(bytes.data() + at, &tag, sizeof tag);
  }
}

std::optional<uint64_t> TagOfSector(std::string_view bytes) {
  uint64_t first = 0;
  std::memcpy(&first, bytes.data(), sizeof first);
  for (size_t at = 0; at < bytes.size(); at += sizeof first) {
    uint64_t tag = 0;
    std::memcpy(&tag, bytes.data() + at, sizeof tag);
    if (tag != first) return std::nullopt;
  }
  return first;
}

InodeId FileTruth::MakeFile() {
  const InodeId inode(++last_inode_);
  files_[inode].inode = inode;
  return inode;
}

std::vector<InodeId> FileTruth::Live() const {
  std::vector<InodeId> live;
  for (const auto& [inode, file] : files_) {
    if (!file.removed) live.push_back(inode);
  }
  return live;
}

PgId FileTruth::GroupOf(ChunkId id) const {
  const auto groups = static_cast<uint64_t>(world_.plan.groups);
  return PgId(static_cast<uint32_t>((id.inode.value + id.index) % groups) + 1);
}

v1::ChunkAddress FileTruth::AddressOf(ChunkId id) const {
  const SimulatedFile& file = files_.at(id.inode);
  v1::ChunkAddress address;
  address.set_inode(id.inode.value);
  address.set_index(id.index);
  address.set_group(GroupOf(id).value);
  address.set_chunk_size(kChunkBytes);
  address.set_generation(file.generation);
  if (!ChunkBugIs(ChunkBug::kCutsForgotten)) {
    address.mutable_cuts()->Add(file.cuts.begin(), file.cuts.end());
  }
  return address;
}

void FileTruth::BeginWrite(ChunkId id, uint32_t offset, uint32_t length, uint64_t tag,
                           SessionId session) {
  for (uint32_t at = offset; at < offset + length; at += kSectorBytes) {
    At(id, at / kSectorBytes).Begin(tag, session);
  }
}

void FileTruth::EndWrite(ChunkId id, const AcknowledgedWrite& write, Time asked) {
  ++writes_;
  // What is answered late may be gone by now. Its client hears of that from the next fsync.
  if (!WasLostSince(id, asked)) Settle(id, write);
}

void FileTruth::Settle(ChunkId id, const AcknowledgedWrite& write) {
  for (uint32_t at = write.offset; at < write.offset + write.length; at += kSectorBytes) {
    At(id, at / kSectorBytes).Settle(write.tag, write.from, write.to, false);
  }
}

void FileTruth::Read(ChunkId id, uint32_t offset, uint32_t length, std::string_view bytes,
                     Time from) {
  ++reads_;
  if (WasLostSince(id, from)) return;
  for (uint32_t at = 0; at < length; at += kSectorBytes) {
    const auto tag =
        bytes.empty() ? std::optional<uint64_t>(0) : TagOfSector(bytes.substr(at, kSectorBytes));
    const uint32_t sector = (offset + at) / kSectorBytes;
    std::optional<std::string> wrong = "bytes nobody wrote";
    if (tag.has_value()) wrong = At(id, sector).See(*tag, from, world_.now());
    if (!wrong.has_value()) continue;
    const bool may_be_bad =
        flipped_.contains({id, sector / kSectorsPerBlock}) && was_lost(GroupOf(id));
    if (!tag.has_value() && may_be_bad) continue;
    world_.violations.Add("C8", fmt::format("chunk {} sector {}: {}", id, sector, *wrong));
  }
}

bool FileTruth::WasLostSince(ChunkId id, Time when) const {
  const auto found = lost_.find(GroupOf(id));
  return found != lost_.end() && found->second >= when;
}

void FileTruth::Synced(ChunkId id, Time from, const std::vector<AcknowledgedWrite>& written) {
  world_.trace.Line([&] {
    return fmt::format("chunk {} is on disk as it was at {:.6f}", id,
                       static_cast<double>(from.count()) / 1e9);
  });
  for (const AcknowledgedWrite& write : written) Settle(id, write);
  for (auto& [sector, truth] : sectors_[id]) truth.Sync(from);
}

void FileTruth::Truncate(InodeId inode, uint64_t length) {
  SimulatedFile& file = files_.at(inode);
  ++file.generation;
  std::erase_if(file.cuts, [&](const v1::Cut& cut) { return cut.length() >= length; });
  file.cuts.emplace_back();
  file.cuts.back().set_generation(file.generation);
  file.cuts.back().set_length(length);
  world_.trace.Line([&] {
    return fmt::format("file {} is cut to {} at generation {}", inode, length, file.generation);
  });
  std::erase_if(file.runs, [&](uint32_t index) { return uint64_t{index} * kChunkBytes >= length; });
  for (auto& [id, sectors] : sectors_) {
    if (id.inode != inode) continue;
    const uint64_t start = uint64_t{id.index} * kChunkBytes;
    for (auto& [sector, truth] : sectors) {
      if (start + uint64_t{sector} * kSectorBytes < length) continue;
      const uint64_t tag = kZeroTag | NewTag();
      truth.Begin(tag, SessionId());
      truth.Settle(tag, world_.now(), world_.now(), true);
    }
  }
}

void FileTruth::Remove(InodeId inode, SessionId last_holder) {
  files_.at(inode).last_holder = last_holder;
  files_.at(inode).removed = true;
  MakeFile();
}

std::vector<InodeId> FileTruth::HeldBy(SessionId session) const {
  std::vector<InodeId> held;
  for (const auto& [inode, file] : files_) {
    const size_t own = file.holders.count(session);
    if (!file.removed && own > 0 && own == file.holders.size()) held.push_back(inode);
  }
  return held;
}

void FileTruth::EndSession(SessionId session) {
  for (auto& [id, sectors] : sectors_) {
    for (auto& [sector, truth] : sectors) truth.EndSession(session, world_.now());
  }
  for (auto& [inode, file] : files_) file.holders.erase(session);
}

void FileTruth::Lose(PgId group) {
  lost_[group] = world_.now();
  for (auto& [id, sectors] : sectors_) {
    if (GroupOf(id) != group) continue;
    for (auto& [sector, truth] : sectors) truth.Lose();
  }
}

}  // namespace cairn::simulation::chunks
