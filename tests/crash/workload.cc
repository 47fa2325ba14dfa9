#include "tests/crash/workload.h"

#include <cstdio>
#include <utility>

#include "common/crc32c.h"

namespace cairn::crash {
namespace {

constexpr uint32_t kFirstInode = 40;
constexpr uint32_t kFiles = 2;
constexpr uint32_t kGroups = 2;
constexpr uint64_t kSpanBytes = uint64_t{kSpanBlocks} * kBlockSize;

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<uint32_t> CrcsOf(uint64_t offset, std::span<const std::byte> data) {
  std::vector<uint32_t> crcs;
  while (!data.empty()) {
    const size_t size = std::min<size_t>(data.size(), kBlockSize - offset % kBlockSize);
    crcs.push_back(Crc32c(data.first(size)));
    data = data.subspan(size);
    offset += size;
  }
  return crcs;
}

// `bytes` at `offset` over what is there.
void Merge(uint64_t offset, const std::string& bytes, Blocks& blocks) {
  for (size_t done = 0; done < bytes.size();) {
    const size_t at = (offset + done) % kBlockSize;
    const size_t size = std::min<size_t>(bytes.size() - done, kBlockSize - at);
    Block& block = blocks[(offset + done) / kBlockSize];
    std::string merged = block != nullptr ? *block : std::string(kBlockSize, '\0');
    merged.replace(at, size, bytes, done, size);
    block = std::make_shared<const std::string>(std::move(merged));
    done += size;
  }
}

// Rule C9, told once more: where the chunk must end, in bytes, if it missed a cut inside it.
std::optional<uint64_t> MissedEnd(ChunkId id, const RowTruth& row, const FileState& file) {
  const uint64_t start = uint64_t{id.index} * file.chunk_size;
  std::optional<uint64_t> end;
  for (const FileCut& cut : file.cuts) {
    if (cut.generation <= row.stamp || cut.length >= start + file.chunk_size) continue;
    const uint64_t here = cut.length > start ? cut.length - start : 0;
    end = std::min(end.value_or(here), here);
  }
  return end;
}

void CutAt(uint64_t length, FileState& file) {
  ++file.generation;
  std::erase_if(file.cuts, [&](const FileCut& cut) { return cut.length >= length; });
  file.cuts.push_back({file.generation, length});
}

}  // namespace

Plan DrawPlan(uint64_t seed) {
  std::mt19937_64 random(seed);
  Plan plan{.seed = seed};
  // From 17 dirty chunks on a store syncs the whole file system.
  plan.chunks_per_file = random() % 4 == 0 ? 12 : 1 + static_cast<uint32_t>(random() % 4);
  constexpr size_t kBallast[] = {0, 500, 3000, 9000};
  plan.ballast_bytes = kBallast[random() % std::size(kBallast)];
  plan.steps = 80 + static_cast<int>(random() % 80);
  return plan;
}

Workload::Workload(const Plan& plan, CrashBug bug)
    : plan_(plan), machine_(bug, plan.ballast_bytes), random_(~plan.seed) {
  for (uint32_t file = 0; file < kFiles; ++file) {
    const InodeId inode(kFirstInode + file);
    files_[inode] = {.chunk_size = kMinChunkSize, .generation = 1, .cuts = {}};
    for (uint32_t index = 0; index < plan.chunks_per_file; ++index) {
      chunks_[ChunkId{inode, index}].group = PgId(1 + index % kGroups);
    }
  }
}

ChunkId Workload::AnyChunk() {
  const uint64_t inode = kFirstInode + Below(kFiles);
  return {InodeId(inode), static_cast<uint32_t>(Below(plan_.chunks_per_file))};
}

std::string Workload::RandomText(size_t size_bytes) {
  std::string text(size_bytes, '\0');
  uint64_t bits = 0;
  for (size_t i = 0; i < size_bytes; ++i, bits >>= 8) {
    if (i % 8 == 0) bits = random_();
    text[i] = static_cast<char>(bits);
  }
  return text;
}

RowTruth Workload::NextRow(ChunkId id) {
  ++counter_;
  return {.version = {Epoch(1), counter_},
          .stamp = FileOf(id).generation,
          .session = SessionId(7 + counter_ % 3),
          .sequence = counter_};
}

void Workload::ForeseeCut(ChunkId id) {
  ChunkTruth& truth = chunks_[id].truth;
  if (!truth.now().row) return;
  const std::optional<uint64_t> end = MissedEnd(id, *truth.now().row, FileOf(id));
  if (!end || *end >= kSpanBytes) return;
  ChunkState cut = truth.now();
  Block& last = cut.blocks[*end / kBlockSize];
  const size_t kept = *end % kBlockSize;
  bool changes = kept != 0 && last != nullptr;
  for (uint64_t block = (*end + kBlockSize - 1) / kBlockSize; block < kSpanBlocks; ++block) {
    changes = changes || cut.blocks[block] != nullptr;
    cut.blocks[block] = nullptr;
  }
  if (!changes) return;
  for (uint64_t block = *end / kBlockSize; block < kSpanBlocks; ++block) {
    truth.Touch(static_cast<uint32_t>(block));
  }
  truth.Change(cut);  // blocks go first, the stamp comes last
  cut.row->stamp = FileOf(id).generation;
  if (kept != 0 && last != nullptr) {
    std::string shorter = *last;
    shorter.replace(kept, kBlockSize - kept, kBlockSize - kept, '\0');
    last = std::make_shared<const std::string>(std::move(shorter));
  }
  truth.Change(std::move(cut));
}

void Workload::ForeseeRemoval(ChunkId id) {
  ChunkTruth& truth = chunks_[id].truth;
  if (!truth.now().row) return;
  // Of a sealed chunk the bytes stay as long as the rows may come back.
  const auto info = machine_.store().Info(id);
  const bool sealed = info.has_value() && info->has_value() && (*info)->sealed;
  if (!sealed) truth.TouchAll();
  truth.Change(ChunkState());
}

Status Workload::Write() {
  const ChunkId id = AnyChunk();
  const uint64_t most = Below(4) == 0 ? 30000 : 6000;
  uint64_t size = 1 + Below(most);
  uint64_t offset = Below(kSpanBytes - size);
  if (Below(3) == 0) offset = offset / kBlockSize * kBlockSize;
  if (Below(3) == 0) size = std::max<uint64_t>(1, size / kBlockSize) * kBlockSize;
  size = std::min(size, kSpanBytes - offset);
  return WriteAt(id, static_cast<uint32_t>(offset), RandomText(size));
}

Status Workload::WriteAt(ChunkId id, uint32_t offset, const std::string& bytes) {
  Trace(fmt::format("write {} + {}", offset, bytes.size()), id);
  ForeseeCut(id);
  ChunkTruth& truth = chunks_[id].truth;
  ChunkState next = truth.now();
  next.row = NextRow(id);
  Merge(offset, bytes, next.blocks);
  const uint64_t end = offset + bytes.size();
  for (uint64_t block = offset / kBlockSize; block * kBlockSize < end; ++block) {
    truth.Touch(static_cast<uint32_t>(block));
  }
  const RowTruth row = *next.row;
  truth.Change(std::move(next));
  const std::vector<uint32_t> crcs = CrcsOf(offset, BytesOf(bytes));
  ChunkWrite write;
  write.id = id;
  write.group = chunks_[id].group;
  write.file = FileOf(id);
  write.version = row.version;
  write.offset = offset;
  write.data = BytesOf(bytes);
  write.crcs = crcs;
  write.session = row.session;
  write.sequence = row.sequence;
  return Expect(machine_.store().Write(write), "write");
}

Status Workload::Install() {
  const ChunkId id = AnyChunk();
  const auto first = static_cast<uint32_t>(Below(kSpanBlocks - 8));
  const uint64_t count = Below(6);
  std::vector<uint32_t> absent;
  for (uint64_t i = Below(4); i > 0; --i) {
    absent.push_back(static_cast<uint32_t>(Below(2) == 0 ? first + Below(8) : Below(kSpanBlocks)));
  }
  return InstallAt(id, first, RandomText(count * kBlockSize), absent);
}

Status Workload::InstallAt(ChunkId id, uint32_t first, const std::string& bytes,
                           const std::vector<uint32_t>& absent) {
  Trace(fmt::format("install {} + {}, {} absent", first, bytes.size() / kBlockSize, absent.size()),
        id);
  ChunkTruth& truth = chunks_[id].truth;
  ChunkState next = truth.now();
  next.row = NextRow(id);
  Merge(uint64_t{first} * kBlockSize, bytes, next.blocks);
  for (uint32_t i = 0; i < bytes.size() / kBlockSize; ++i) truth.Touch(first + i);
  for (uint32_t block : absent) {
    // What `bytes` has for it may reach the disk before the row says that it is not there.
    const bool is_passed = block >= first && block < first + bytes.size() / kBlockSize;
    if (is_passed) truth.Pass(block, next.blocks[block]);
    next.blocks[block] = nullptr;
    truth.Touch(block);
  }
  const std::vector<uint32_t> crcs = CrcsOf(0, BytesOf(bytes));
  BlockInstall install;
  install.info.id = id;
  install.info.version = next.row->version;
  install.info.generation = next.row->stamp;
  install.info.last_session = next.row->session;
  install.info.last_sequence = next.row->sequence;
  install.group = chunks_[id].group;
  install.chunk_size = kMinChunkSize;
  install.first_block = first;
  install.data = BytesOf(bytes);
  install.crcs = crcs;
  install.absent_blocks = absent;
  truth.Change(std::move(next));
  return Expect(machine_.store().InstallBlocks(install), "install");
}

Status Workload::Read() {
  const ChunkId id = AnyChunk();
  Trace("read", id);
  const Result<ChunkRead> read = machine_.store().Read(id, FileOf(id), 0, kSpanBytes);
  if (!read.has_value()) return Expect(read.error(), "read");
  const std::string why = chunks_[id].truth.WhyNotNow(FindChunk(machine_.store(), id));
  return why.empty() || was_cut() ? OkStatus() : Broken(id, "read: " + why);
}

Status Workload::CutFile() {
  const ChunkId at = AnyChunk();
  FileState& file = FileOf(at);
  CutAt(uint64_t{at.index} * kMinChunkSize + Below(kSpanBytes), file);
  Trace("cut", at);
  if (file.cuts.size() > 64) file.cuts.erase(file.cuts.begin());
  for (const auto& [id, entry] : chunks_) {
    if (id.inode != at.inode || Below(2) == 0 || was_cut()) continue;
    const std::optional<RowTruth>& row = entry.truth.now().row;
    if (row && row->stamp < file.generation) {
      MissedEnd(id, *row, file) == uint64_t{0} ? ForeseeRemoval(id) : ForeseeCut(id);
    }
    RETURN_IF_ERROR(Expect(machine_.store().Remove(id, file, /*whole=*/false), "remove by cut"));
  }
  return OkStatus();
}

Status Workload::Remove() {
  const ChunkId id = AnyChunk();
  Trace("remove", id);
  ForeseeRemoval(id);
  return Expect(machine_.store().Remove(id, FileOf(id), /*whole=*/true), "remove");
}

Status Workload::Drop() {
  const ChunkId id = AnyChunk();
  Trace("drop", id);
  ForeseeRemoval(id);
  return Expect(machine_.store().Drop(id), "drop");
}

}  // namespace cairn::crash
