// What brings a workload's chunks to disk, takes the store down and up, and looks at what is there.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "tests/crash/workload.h"

namespace cairn::crash {

Status Workload::Expect(const Status& status, const char* what) {
  if (status.ok() || was_cut()) return OkStatus();
  return Status::Error(ErrorCode::kInternal, "{} failed: {}", what, status);
}

Status Workload::Broken(ChunkId id, const std::string& why) {
  return Status::Error(ErrorCode::kInternal, "chunk {}: {}", id, why);
}

void Workload::Trace(std::string_view what, ChunkId id) const {
  if (!plan_.trace) return;
  const std::string line = fmt::format("change {}: {} {}", machine_.disk().changes() + 1, what,
                                       id.inode.value == 0 ? "" : fmt::format("{}", id));
  std::printf("%s\n", line.c_str());
}

Status Workload::SyncSome() {
  std::vector<ChunkId> ids;
  for (uint64_t i = 1 + Below(3); i > 0; --i) ids.push_back(AnyChunk());
  for (const ChunkId id : ids) Trace("sync", id);
  const uint64_t written = machine_.history().written();
  const Status status = machine_.store().Sync(ids);
  if (!status.ok()) return Expect(status, "sync");
  machine_.history().Promise(written);
  for (const ChunkId id : ids) chunks_[id].truth.Settle();
  return OkStatus();
}

Status Workload::SyncAll() {
  Trace("sync all");
  const uint64_t written = machine_.history().written();
  const Status status = machine_.store().SyncAll();
  if (!status.ok()) return Expect(status, "sync all");
  machine_.history().Promise(written);
  for (auto& [id, entry] : chunks_) entry.truth.Settle();
  return OkStatus();
}

Status Workload::Seal() {
  Trace("seal");
  constexpr int kPauses[] = {1, 20, 40};
  machine_.clock().Advance(std::chrono::seconds(kPauses[Below(std::size(kPauses))]));
  machine_.disk().SetSealing(true);
  const Result<size_t> sealed = machine_.store().SealIdle();
  machine_.disk().SetSealing(false);
  if (!sealed.has_value()) return Expect(sealed.error(), "seal");
  if (*sealed == 0) return OkStatus();
  machine_.history().Promise(machine_.history().written());
  SettleSealed();
  return OkStatus();
}

void Workload::SettleSealed() {
  for (auto& [id, entry] : chunks_) {
    const auto info = machine_.store().Info(id);
    if (info.has_value() && info->has_value() && (*info)->sealed) entry.truth.Settle();
  }
}

Status Workload::Start() {
  const Status status = machine_.Start();
  if (status.ok() || was_cut()) return OkStatus();
  if (machine_.history().violation()) {
    return Status(ErrorCode::kInternal, *machine_.history().violation());
  }
  return Status::Error(ErrorCode::kInternal, "the store does not open: {}", status);
}

Status Workload::KillAndStart() {
  Trace("kill");
  machine_.Kill();
  RETURN_IF_ERROR(Start());
  return was_cut() ? OkStatus() : CheckNow();
}

Status Workload::CloseAndStart() {
  Trace("close");
  const Status closed = machine_.Close();
  if (!closed.ok() || was_cut()) return Expect(closed, "close");
  machine_.history().Promise(machine_.history().written());
  for (auto& [id, entry] : chunks_) entry.truth.Settle();
  if (Below(2) == 0) machine_.LosePower(random_);
  RETURN_IF_ERROR(Start());
  return was_cut() ? OkStatus() : CheckNow();
}

Status Workload::CheckNow() {
  std::map<ChunkId, Placed> chunks;
  for (auto& [id, entry] : chunks_) {
    FoundChunk found = FindChunk(machine_.store(), id);
    const std::string why = entry.truth.WhyNotNow(found);
    if (!why.empty()) return Broken(id, "after a restart: " + why);
    chunks[id] = {entry.group, std::move(found)};
  }
  const std::string wrong = WhatIsWrong(machine_, chunks);
  return wrong.empty() ? OkStatus() : Status(ErrorCode::kInternal, wrong);
}

void Workload::LosePower(std::mt19937_64& random) {
  machine_.LosePower(random);
}

Status Workload::CheckAfterPowerCut() {
  std::map<ChunkId, Placed> chunks;
  for (auto& [id, entry] : chunks_) {
    FoundChunk found = FindChunk(machine_.store(), id);
    std::string why = entry.truth.WhyNot(found);
    entry.suspects.clear();
    for (uint32_t block = 0; block < kSpanBlocks; ++block) {
      if (!found.suspect[block]) continue;
      entry.suspects.push_back(block);
      std::string raw = RawBlock(machine_, id, block);
      if (why.empty()) why = entry.truth.WhyNotSectors(found, block, raw);
      raw.resize(kBlockSize, '\0');  // where the file ends, whatever was cut off there
      entry.truth.Pass(block, std::make_shared<const std::string>(std::move(raw)));
    }
    if (!why.empty()) return Broken(id, why);
    suspects_met_ += entry.suspects.size();
    chunks[id] = {entry.group, std::move(found)};
  }
  const std::string wrong = WhatIsWrong(machine_, chunks);
  if (!wrong.empty()) return Status(ErrorCode::kInternal, wrong);
  for (auto& [id, entry] : chunks_) entry.truth.BeginAgain(chunks[id].found);
  return OkStatus();
}

Status Workload::SettleSuspects() {
  // A chunk whose file was lost may be synced before it has a file again.
  if (Below(3) == 0) RETURN_IF_ERROR(SyncAll());
  if (was_cut()) return OkStatus();
  for (auto& [id, entry] : chunks_) {
    const std::vector<uint32_t> suspects = std::exchange(entry.suspects, {});
    if (suspects.empty()) continue;
    const bool adopt = Below(2) == 0;
    if (adopt) RETURN_IF_ERROR(Adopt(id));
    for (const uint32_t block : suspects) {
      if (adopt || was_cut()) break;
      RETURN_IF_ERROR(InstallAt(id, block, RandomText(kBlockSize), {}));
    }
    if (was_cut()) return OkStatus();
    if (!machine_.store().Suspects(entry.group).empty() &&
        std::ranges::count(machine_.store().Suspects(entry.group), id) > 0) {
      return Broken(id, "suspects stay although they were settled");
    }
  }
  return OkStatus();
}

// Rule C8: what is adopted may lack the last request, which is to be forgotten.
Status Workload::Adopt(ChunkId id) {
  Trace("adopt", id);
  ChunkTruth& truth = chunks_[id].truth;
  ChunkState next = truth.now();
  next.row->session = SessionId();
  next.row->sequence = 0;
  for (uint32_t block = 0; block < kSpanBlocks; ++block) {
    Block& bytes = next.blocks[block];
    if (bytes == nullptr || !bytes->empty()) continue;
    std::string raw = RawBlock(machine_, id, block);
    raw.resize(kBlockSize, '\0');
    bytes = std::make_shared<const std::string>(std::move(raw));
  }
  truth.Change(std::move(next));
  const Status status = machine_.store().Adopt(id);
  if (!status.ok() || was_cut()) return Expect(status, "adopt");
  const std::string why = truth.WhyNotNow(FindChunk(machine_.store(), id));
  return why.empty() ? OkStatus() : Broken(id, "adopt: " + why);
}

Status Workload::Step() {
  const uint64_t choice = Below(100);
  if (choice < 42) return Write();
  if (choice < 50) return Read();
  if (choice < 62) return SyncSome();
  if (choice < 66) return SyncAll();
  if (choice < 75) return Seal();
  if (choice < 80) return CutFile();
  if (choice < 84) return Remove();
  if (choice < 87) return Drop();
  if (choice < 95) return Install();
  return choice < 98 ? KillAndStart() : CloseAndStart();
}

Status Workload::Finish() {
  RETURN_IF_ERROR(SyncAll());
  machine_.clock().Advance(timing::kSealIdle);
  const Result<size_t> sealed = machine_.store().SealIdle();
  if (!sealed.has_value()) return Expect(sealed.error(), "the last seal");
  for (auto& [id, entry] : chunks_) {
    const FoundChunk found = FindChunk(machine_.store(), id);
    if (found.info && !found.info->sealed) return Broken(id, "is not sealed at the end");
  }
  return CloseAndStart();
}

}  // namespace cairn::crash
