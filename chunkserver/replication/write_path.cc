#include "chunkserver/replication/write_path.h"

#include <algorithm>
#include <utility>

#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/seeded_bug.h"
#include "chunkserver/replication/wire.h"

namespace cairn {
namespace {

constexpr int kRepairTries = 2;

ChunkWrite StoreWrite(const PendingWrite& write, const std::vector<uint32_t>& crcs) {
  ChunkWrite store_write;
  store_write.id = write.id;
  store_write.group = write.group;
  store_write.file = FileOf(write.request.chunk());
  store_write.version = write.version;
  store_write.offset = write.request.offset();
  store_write.data = write.data.bytes();
  store_write.crcs = crcs;
  store_write.session = write.session;
  store_write.sequence = write.sequence;
  return store_write;
}

PendingWritePtr MakePending(const WriteCall& call, ChunkVersion version) {
  auto write = std::make_shared<PendingWrite>();
  write->request = call.request();
  write->request.mutable_chunk()->clear_token();  // members believe their primary
  write->id = IdOf(write->request.chunk());
  write->group = PgId(write->request.chunk().group());
  write->version = version;
  write->range = BlocksOf(write->request.offset(), call.payload().size());
  write->session = SessionId(write->request.chunk().session());
  write->sequence = write->request.sequence();
  write->data = call.payload();
  absl::MutexLock lock(&write->mu);
  write->calls.push_back(call);
  return write;
}

}  // namespace

void WritePath::Write(const WriteCall& call) {
  context_.pace.NoteClient();
  const v1::ChunkAddress& chunk = call.request().chunk();
  const PgId group(chunk.group());
  const Result<Standing> standing = context_.table.Stand(group, Epoch(chunk.epoch()));
  if (!standing.has_value()) return call.Fail(standing.error());
  const Status admitted = admission_.Admit(*standing, chunk);
  if (!admitted.ok()) return call.Fail(admitted);
  context_.primaries.WhenReady(group, call.deadline(), [this, call](const Status& ready) {
    if (!ready.ok()) return call.Fail(ready);
    const ChunkGatePtr gate = context_.gates.Get(IdOf(call.request().chunk()));
    gate->Order([this, call, gate] { Turn(call, gate, 0); });
  });
}

void WritePath::Turn(const WriteCall& call, const ChunkGatePtr& gate, int tries) {
  const v1::ChunkAddress& chunk = call.request().chunk();
  const PgId group(chunk.group());
  const Epoch epoch(chunk.epoch());
  const EpochBarrier::Pass pass(context_.barrier, group, epoch);
  const Result<Standing> standing = context_.table.Stand(group, epoch);
  if (!standing.has_value()) return call.Fail(standing.error());
  if (AnswerRetry(call, *gate)) return;
  if (call.deadline().Passed()) {
    return call.Fail(Status::Error(ErrorCode::kDeadlineExceeded, "the caller has given up"));
  }
  // The store knows only of trims that found something to cut; members take what a cut leaves.
  if (gate->WasTrimmedSince(chunk.generation())) {
    return call.Fail(
        Status::Error(ErrorCode::kStaleGeneration, "chunk {} was trimmed", IdOf(chunk)));
  }
  const Status admitted = admission_.Admit(*standing, chunk);
  if (!admitted.ok()) return call.Fail(admitted);
  const std::optional<ChunkVersion> version = context_.primaries.NextVersion(group, epoch);
  if (!version.has_value()) {
    return call.Fail(Status::Error(ErrorCode::kStaleEpoch, "group {} has moved on", group));
  }
  const PendingWritePtr write = MakePending(call, *version);
  {
    absl::MutexLock lock(&write->mu);
    for (WriteTarget& target : context_.primaries.Targets(*standing->group, write->id)) {
      write->targets.push_back({target.server, {}, 0, std::move(target.counted)});
    }
  }
  // Before the bytes change, so that no read takes them for settled (rule C8).
  gate->AddWrite(write);
  if (const Status written = WriteHere(*write); !written.ok()) {
    // Nobody was told: it was never ordered.
    absl::ReleasableMutexLock lock(&write->mu);
    write->finished = true;
    for (PendingWrite::Target& target : write->targets) {
      if (target.counted != nullptr) target.counted->SendEnded(true);
    }
    lock.Release();
    gate->EndWrite(*write, false);
    return LocalFailed(call, gate, tries, written);
  }
  {
    absl::MutexLock lock(&mu_);
    pending_[group][write] = gate;
  }
  SendFirst(write, gate);
  Evaluate(write, gate);
}

bool WritePath::AnswerRetry(const WriteCall& call, ChunkGate& gate) {
  const ChunkId id = IdOf(call.request().chunk());
  const WriteKey key{SessionId(call.request().chunk().session()), call.request().sequence()};
  if (key.session.value == 0 || ReplicationBugIs(ReplicationBug::kRetryRunAgain)) return false;
  if (const PendingWritePtr write = gate.FindWrite(key); write != nullptr) {
    absl::MutexLock lock(&write->mu);
    if (!write->finished) {
      write->calls.push_back(call);
      return true;
    }
  }
  if (!gate.asked_store) {
    const Result<std::optional<ChunkInfo>> info = context_.store.Info(id);
    if (info.has_value() && info->has_value()) {
      gate.RememberFinished({(*info)->last_session, (*info)->last_sequence});
    }
    gate.asked_store = true;
  }
  // A ready group's copies were compared: what this one has finished, all active members have.
  if (!gate.WasFinished(key)) return false;
  call.Reply(context_.WriteAnswer(PgId(call.request().chunk().group())));
  return true;
}

Status WritePath::WriteHere(const PendingWrite& write) {
  const std::vector<uint32_t> crcs = ToVector(write.request.crcs());
  const Status status = context_.store.Write(StoreWrite(write, crcs));
  context_.HeardStore(status);
  return status;
}

void WritePath::LocalFailed(const WriteCall& call, const ChunkGatePtr& gate, int tries,
                            const Status& status) {
  if (status.code() == ErrorCode::kDiskFailed) {
    return call.Fail(Status::Error(ErrorCode::kUnavailable, "{}", status.message()));
  }
  const v1::WriteChunkRequest& request = call.request();
  const bool own_block_is_bad =
      status.code() == ErrorCode::kCorruption &&
      CrcsMatch(request.offset(), call.payload().bytes(), ToVector(request.crcs()));
  if (!own_block_is_bad || tries >= kRepairTries) return call.Fail(status);
  // The write covers a part of a block whose other part is damaged here: mend it from a copy first.
  context_.urgent.Submit([this, call, gate, tries] {
    const v1::ChunkAddress& chunk = call.request().chunk();
    const Status repaired =
        repair_.RepairRange(PgId(chunk.group()), Epoch(chunk.epoch()), IdOf(chunk),
                            BlocksOf(call.request().offset(), call.payload().size()));
    if (!repaired.ok()) return call.Fail(repaired);
    gate->Order([this, call, gate, tries] { Turn(call, gate, tries + 1); });
  });
}

void WritePath::Evaluate(const PendingWritePtr& write, const ChunkGatePtr& gate) {
  const Required required = context_.primaries.RequiredForWrite(write->group, write->id);
  if (required.standing.role != OwnRole::kPrimary) {
    return End(write, gate,
               Status::Error(ErrorCode::kStaleEpoch, "group {} has moved on", write->group));
  }
  std::vector<ServerId> joined;
  bool complete = true;
  {
    absl::MutexLock lock(&write->mu);
    if (write->finished) return;
    for (const ServerId server : required.servers) {
      const auto target =
          std::find_if(write->targets.begin(), write->targets.end(),
                       [&](const PendingWrite::Target& t) { return t.server == server; });
      if (target == write->targets.end()) {
        write->targets.push_back({server, PendingWrite::Sent::kFailed, 0, nullptr});
        joined.push_back(server);
        complete = false;
      } else if (target->state == PendingWrite::Sent::kFailed &&
                 ReplicationBugIs(ReplicationBug::kFailedMemberIgnored)) {
        continue;
      } else if (target->state != PendingWrite::Sent::kDone) {
        complete = false;
      }
    }
  }
  for (const ServerId server : joined) ResendLater(write, gate, server, 0);
  // Once the epoch is activated the table changes, and this is asked again.
  if (complete && required.activated()) End(write, gate, OkStatus());
}

void WritePath::End(const PendingWritePtr& write, const ChunkGatePtr& gate, const Status& status) {
  std::vector<WriteCall> calls;
  {
    absl::MutexLock lock(&write->mu);
    if (write->finished) return;
    write->finished = true;
    calls = std::move(write->calls);
    write->calls.clear();
  }
  {
    absl::MutexLock lock(&mu_);
    const auto found = pending_.find(write->group);
    if (found != pending_.end()) {
      found->second.erase(write);
      if (found->second.empty()) pending_.erase(found);
    }
  }
  gate->EndWrite(*write, status.ok());
  const v1::WriteChunkResponse answer = context_.WriteAnswer(write->group);
  for (const WriteCall& call : calls) status.ok() ? call.Reply(answer) : call.Fail(status);
}

void WritePath::GroupChanged(PgId group) {
  std::vector<std::pair<PendingWritePtr, ChunkGatePtr>> writes;
  {
    absl::MutexLock lock(&mu_);
    const auto found = pending_.find(group);
    if (found == pending_.end()) return;
    writes.assign(found->second.begin(), found->second.end());
  }
  std::sort(writes.begin(), writes.end(),
            [](const auto& a, const auto& b) { return a.first->version < b.first->version; });
  for (const auto& [write, gate] : writes) {
    Evaluate(write, gate);
    std::vector<ServerId> failed;
    {
      absl::MutexLock lock(&write->mu);
      for (const PendingWrite::Target& target : write->targets) {
        if (target.state == PendingWrite::Sent::kFailed) failed.push_back(target.server);
      }
    }
    for (const ServerId server : failed) ResendLater(write, gate, server, 0);
  }
}

}  // namespace cairn
