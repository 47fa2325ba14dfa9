#include "chunkserver/replication/read_path.h"

#include <utility>

#include "chunkserver/replication/seeded_bug.h"
#include "chunkserver/replication/wire.h"

namespace cairn {
namespace {
constexpr int kMostRepairs = 3;

BlockRange RangeOf(const ReadCall& call) {
  return BlocksOf(call.request().offset(), call.request().length());
}
}  // namespace

Result<Standing> ReadPath::CheckStanding(const ReadCall& call) const {
  const v1::ChunkAddress& chunk = call.request().chunk();
  const PgId group(chunk.group());
  ASSIGN_OR_RETURN(Standing standing, context_.table.Stand(group, Epoch(chunk.epoch())));
  if (standing.role == OwnRole::kPrimary) return standing;
  return Fail(ErrorCode::kNotPrimary, "this server is not the primary of group {}", group);
}

void ReadPath::Read(const ReadCall& call) {
  context_.pace.NoteClient();
  if (const auto standing = CheckStanding(call); !standing.has_value()) {
    return call.Fail(standing.error());
  }
  context_.primaries.WhenReady(PgId(call.request().chunk().group()), call.deadline(),
                               [this, call](const Status& ready) {
                                 if (!ready.ok()) return call.Fail(ready);
                                 Attempt(call, 0);
                               });
}

void ReadPath::Attempt(const ReadCall& call, int repairs) {
  const ChunkGatePtr gate = context_.gates.Get(IdOf(call.request().chunk()));
  if (ReplicationBugIs(ReplicationBug::kReadBesideWrites)) return ReadNow(call, gate, repairs);
  const bool waits = gate->WhenClear(RangeOf(call), call.deadline(),
                                     [this, call, gate, repairs](const Status& clear) {
                                       if (!clear.ok()) return call.Fail(clear);
                                       ReadNow(call, gate, repairs);
                                     });
  if (waits) {
    context_.urgent.RunAfter(call.deadline().Left(), [gate] { gate->ExpireWaiters(); });
  }
}

void ReadPath::ReadNow(const ReadCall& call, const ChunkGatePtr& gate, int repairs) {
  const v1::ReadChunkRequest& request = call.request();
  Result<ChunkRead> read = context_.store.Read(IdOf(request.chunk()), FileOf(request.chunk()),
                                               request.offset(), request.length());
  // A write may have begun meanwhile: its bytes are not to be shown before it is finished.
  const bool clear =
      gate->IsClear(RangeOf(call)) || ReplicationBugIs(ReplicationBug::kReadBesideWrites);
  if (!clear) return Attempt(call, repairs);
  // And the lease must have held while the blocks were read (rule C1).
  const Result<Standing> standing = CheckStanding(call);
  if (!standing.has_value()) return call.Fail(standing.error());
  // PrimaryGroups hears of a new epoch a moment after the table, so the row is asked too (rule C3).
  if (!standing->group->activated) {
    return call.Fail(Status::Error(ErrorCode::kBusy, "an epoch of group {} has just begun",
                                   PgId(request.chunk().group())));
  }
  if (!read.has_value()) {
    context_.HeardStore(read.error());
    const ErrorCode code = read.error().code();
    if (code == ErrorCode::kCorruption || code == ErrorCode::kIoError) {
      return Repair(call, false, repairs);
    }
    if (code != ErrorCode::kDiskFailed) return call.Fail(read.error());
    return call.Fail(Status::Error(ErrorCode::kUnavailable, "{}", read.error().message()));
  }
  const bool is_hole = !request.must_exist() || ReplicationBugIs(ReplicationBug::kMissingIsHole);
  if (read->absent && !is_hole) return Repair(call, true, repairs);
  v1::ReadChunkResponse response;
  response.set_absent(read->absent);
  if (!read->absent) response.mutable_crcs()->Add(read->crcs.begin(), read->crcs.end());
  call.Reply(response, read->absent ? Payload() : std::move(read->data));
}

void ReadPath::Repair(const ReadCall& call, bool missing, int repairs) {
  if (repairs >= kMostRepairs) {
    return call.Fail(Status::Error(ErrorCode::kIoError, "chunk {} stays damaged after repair",
                                   IdOf(call.request().chunk())));
  }
  context_.urgent.Submit([this, call, missing, repairs] {
    const v1::ChunkAddress& chunk = call.request().chunk();
    const PgId group(chunk.group());
    const Epoch epoch(chunk.epoch());
    const Status repaired = missing ? repair_.RepairMissing(group, epoch, IdOf(chunk))
                                    : repair_.RepairRange(group, epoch, IdOf(chunk), RangeOf(call));
    if (!repaired.ok()) return call.Fail(repaired);
    Attempt(call, repairs + 1);
  });
}

}  // namespace cairn
