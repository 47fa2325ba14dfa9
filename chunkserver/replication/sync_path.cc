#include "chunkserver/replication/sync_path.h"

#include <algorithm>
#include <map>
#include <utility>

#include "chunkserver/replication/seeded_bug.h"
#include "chunkserver/replication/wire.h"

namespace cairn {
namespace {
constexpr Duration kRetryEvery = std::chrono::milliseconds(50);

std::vector<ChunkId> IdsOf(const v1::SyncChunksRequest& request) {
  std::vector<ChunkId> ids;
  for (const v1::ChunkAddress& chunk : request.chunks()) ids.push_back(IdOf(chunk));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// What the client wrote to chunk `i` and has not synced yet: is it all there?
Status CheckPower(const v1::SyncChunksRequest& request, int i, const Group& group) {
  const Epoch oldest(request.oldest_write_epochs(i));
  if (group.power_lost <= oldest) return OkStatus();
  if (ReplicationBugIs(ReplicationBug::kPowerLossForgotten)) return OkStatus();
  return Status::Error(ErrorCode::kIoError,
                       "all copies of chunk {} lost power before epoch {}: what was written in "
                       "epoch {} may be gone",
                       IdOf(request.chunks(i)), group.power_lost, oldest);
}
}  // namespace

struct SyncPath::Operation {
  enum class State { kWaiting, kFailed, kDone };
  explicit Operation(SyncCall the_call) : call(std::move(the_call)) {}

  const SyncCall call;
  absl::Mutex mu;
  int parts ABSL_GUARDED_BY(mu) = 0;  // chunks with writes under way, then the local sync
  bool answered ABSL_GUARDED_BY(mu) = false;
  bool retrying ABSL_GUARDED_BY(mu) = false;
  // By server and group: what is on disk there.
  std::map<ServerId, std::map<PgId, State>> members ABSL_GUARDED_BY(mu);

  void Finish(const Status& status) {
    {
      absl::MutexLock lock(&mu);
      if (answered) return;
      answered = true;
    }
    status.ok() ? call.Reply({}) : call.Fail(status);
  }
};

Result<Standing> SyncPath::Stand(const v1::ChunkAddress& chunk) const {
  const PgId group(chunk.group());
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group, Epoch(chunk.epoch())));
  if (standing.role == OwnRole::kNone) {
    return Fail(ErrorCode::kStaleEpoch, "this server is not a member of group {}", group);
  }
  return standing;
}

Status SyncPath::CheckMember(const v1::SyncChunksRequest& request) const {
  for (const v1::ChunkAddress& chunk : request.chunks()) RETURN_IF_ERROR(Stand(chunk));
  return OkStatus();
}

Status SyncPath::CheckPrimary(const v1::SyncChunksRequest& request) const {
  for (int i = 0; i < request.chunks_size(); ++i) {
    ASSIGN_OR_RETURN(const Standing standing, Stand(request.chunks(i)));
    if (standing.role != OwnRole::kPrimary) {
      return Status::Error(ErrorCode::kNotPrimary, "this server is not the primary of group {}",
                           standing.group->id);
    }
    RETURN_IF_ERROR(CheckPower(request, i, *standing.group));
  }
  return OkStatus();
}

void SyncPath::Sync(const SyncCall& call) {
  if (const Status status = CheckPrimary(call.request()); !status.ok()) return call.Fail(status);
  for (const v1::ChunkAddress& chunk : call.request().chunks()) {
    if (context_.primaries.IsReady(PgId(chunk.group()))) continue;
    context_.primaries.WhenReady(
        PgId(chunk.group()), call.deadline(),
        [this, call](const Status& ready) { ready.ok() ? Sync(call) : call.Fail(ready); });
    return;
  }
  AwaitWrites(std::make_shared<Operation>(call));
}

void SyncPath::AwaitWrites(const OperationPtr& operation) {
  const std::vector<ChunkId> ids = IdsOf(operation->call.request());
  {
    absl::MutexLock lock(&operation->mu);
    operation->parts = static_cast<int>(ids.size()) + 1;
  }
  auto one_done = [this, operation](const Status& status) {
    if (!status.ok()) return operation->Finish(status);
    {
      absl::MutexLock lock(&operation->mu);
      if (--operation->parts > 0) return;
    }
    SyncOthers(operation);
    context_.disk.Submit([this, operation] { SyncHere(operation); });
  };
  for (const ChunkId id : ids) {
    const ChunkGatePtr gate = context_.gates.Get(id);
    const Deadline deadline = operation->call.deadline();
    if (gate->WhenClear({0, kMaxChunkSize / kBlockSize}, deadline, one_done)) {
      context_.urgent.RunAfter(deadline.Left(), [gate] { gate->ExpireWaiters(); });
    }
  }
  one_done(OkStatus());
}

void SyncPath::SyncHere(const OperationPtr& operation) {
  const Status status = context_.store.Sync(IdsOf(operation->call.request()));
  context_.HeardStore(status);
  if (!status.ok()) {
    return operation->Finish(Status::Error(ErrorCode::kUnavailable, "{}", status.message()));
  }
  {
    absl::MutexLock lock(&operation->mu);
    operation->members[context_.table.self()];
  }
  Settle(operation);
}

void SyncPath::SyncOthers(const OperationPtr& operation) {
  std::vector<ServerId> servers;
  {
    absl::MutexLock lock(&operation->mu);
    for (const v1::ChunkAddress& chunk : operation->call.request().chunks()) {
      const PgId group(chunk.group());
      for (const ServerId server : context_.primaries.RequiredOf(group).servers) {
        auto& groups = operation->members[server];
        if (groups.empty()) servers.push_back(server);
        groups[group] = Operation::State::kWaiting;
      }
    }
  }
  for (const ServerId server : servers) SendTo(operation, server);
}

void SyncPath::SendTo(const OperationPtr& operation, ServerId server) {
  v1::SyncChunksRequest request;
  {
    absl::MutexLock lock(&operation->mu);
    const auto& groups = operation->members[server];
    for (const v1::ChunkAddress& chunk : operation->call.request().chunks()) {
      const auto found = groups.find(PgId(chunk.group()));
      if (found == groups.end() || found->second != Operation::State::kWaiting) continue;
      *request.add_chunks() = chunk;
    }
  }
  for (v1::ChunkAddress& chunk : *request.mutable_chunks()) {
    const Standing standing = context_.table.Current(PgId(chunk.group()));
    if (standing.group != nullptr) chunk.set_epoch(standing.group->epoch.value);
  }
  context_.peers.CallAsync(server, v1::CHUNK_SYNC_REPLICA, request, {},
                           Deadline::After(kSyncReplicaDeadline),
                           [this, operation, server](const Result<RawReply>& reply) {
                             Answered(operation, server, reply);
                           });
}

void SyncPath::Answered(const OperationPtr& operation, ServerId server,
                        const Result<RawReply>& reply) {
  std::vector<PgId> failed;
  std::vector<PgId> done;
  {
    absl::MutexLock lock(&operation->mu);
    for (auto& [group, state] : operation->members[server]) {
      if (state != Operation::State::kWaiting) continue;
      state = reply.has_value() ? Operation::State::kDone : Operation::State::kFailed;
      (reply.has_value() ? done : failed).push_back(group);
    }
  }
  for (const PgId group : done) context_.faults.Answered(group, server);
  if (!reply.has_value() && reply.error().code() == ErrorCode::kStaleEpoch) {
    context_.table.WantRefresh();
  }
  for (const PgId group : failed) {
    const Standing standing = context_.table.Current(group);
    if (standing.group == nullptr || !standing.group->IsActive(server)) continue;
    context_.faults.Failed(group, standing.group->epoch, server, reply.error());
  }
  Settle(operation);
}

void SyncPath::Settle(const OperationPtr& operation) {
  bool complete = true;
  bool retry = false;
  const v1::SyncChunksRequest& request = operation->call.request();
  for (int i = 0; i < request.chunks_size(); ++i) {
    const PgId group(request.chunks(i).group());
    const Required required = context_.primaries.RequiredOf(group);
    if (required.standing.role != OwnRole::kPrimary) {
      return operation->Finish(
          Status::Error(ErrorCode::kStaleEpoch, "group {} has moved on", group));
    }
    // This server may have been away while the others lost power, and lead again.
    if (const Status power = CheckPower(request, i, *required.standing.group); !power.ok()) {
      return operation->Finish(power);
    }
    absl::MutexLock lock(&operation->mu);
    complete =
        complete && required.activated() && operation->members.contains(context_.table.self());
    retry = retry || !required.activated();
    for (const ServerId server : required.servers) {
      // Someone who has become required since gets its request with the next retry.
      auto& state =
          operation->members[server].try_emplace(group, Operation::State::kFailed).first->second;
      complete = complete && state == Operation::State::kDone;
      retry = retry || state == Operation::State::kFailed;
    }
  }
  if (complete) return operation->Finish(OkStatus());
  if (!retry) return;
  {
    absl::MutexLock lock(&operation->mu);
    if (operation->answered || operation->retrying) return;
    operation->retrying = true;
  }
  if (operation->call.deadline().Passed()) {
    return operation->Finish(
        Status::Error(ErrorCode::kDeadlineExceeded, "a member has not synced in time"));
  }
  context_.urgent.RunAfter(kRetryEvery, [this, operation] { Retry(operation); });
}

void SyncPath::Retry(const OperationPtr& operation) {
  std::vector<ServerId> servers;
  {
    absl::MutexLock lock(&operation->mu);
    operation->retrying = false;
    if (operation->answered) return;
    for (auto& [server, groups] : operation->members) {
      bool send = false;
      for (auto& [group, state] : groups) {
        if (state != Operation::State::kFailed) continue;
        state = Operation::State::kWaiting;
        send = true;
      }
      if (send) servers.push_back(server);
    }
  }
  for (const ServerId server : servers) SendTo(operation, server);
  Settle(operation);
}

void SyncPath::SyncReplica(const SyncCall& call) {
  if (const Status status = CheckMember(call.request()); !status.ok()) return call.Fail(status);
  auto work = [this, call] {
    const Status status = context_.store.Sync(IdsOf(call.request()));
    context_.HeardStore(status);
    if (!status.ok()) return call.Fail(status);
    v1::SyncChunksResponse response;
    response.set_available_bytes(context_.space.available_bytes());
    response.set_near_full(context_.space.near_full());
    call.Reply(response);
  };
  if (call.request().chunks().empty()) return work();
  context_.disk.Submit(call.deadline(), work);
}

}  // namespace cairn
