// What a write's members are sent, and what becomes of their answers.
#include <algorithm>
#include <utility>

#include "chunkserver/replication/removal_path.h"
#include "chunkserver/replication/wire.h"
#include "chunkserver/replication/write_path.h"
#include "common/logging.h"

namespace cairn {
namespace {

// Whether a member that knows the trim of this generation has made all that the write waits for.
bool HasTrims(PendingWrite& write, uint64_t generation) {
  absl::MutexLock lock(&write.mu);
  return generation >= write.trim;
}

}  // namespace

void WritePath::SendFirst(const PendingWritePtr& write, const ChunkGatePtr& gate) {
  std::vector<ServerId> servers;
  {
    absl::MutexLock lock(&write->mu);
    for (const PendingWrite::Target& target : write->targets) servers.push_back(target.server);
  }
  const std::vector<PendingWritePtr> earlier = gate->Writes();
  for (const ServerId server : servers) {
    // Behind a write that has to be sent again this one has to wait for its turn too; and a member
    // that cannot be reached must not hold this thread in connect().
    const bool behind = std::any_of(earlier.begin(), earlier.end(), [&](const PendingWritePtr& w) {
      if (w == write) return false;
      absl::MutexLock lock(&w->mu);
      return std::any_of(w->targets.begin(), w->targets.end(), [&](const auto& target) {
        return target.server == server && target.state == PendingWrite::Sent::kFailed;
      });
    });
    if (behind || context_.faults.IsUnreachable(server)) {
      PutOff(write, gate, server);
    } else {
      Send(write, gate, server);
    }
  }
}

void WritePath::PutOff(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server) {
  int attempts = 0;
  std::shared_ptr<Attachment> counted;
  {
    absl::MutexLock lock(&write->mu);
    for (PendingWrite::Target& target : write->targets) {
      if (target.server != server) continue;
      target.state = PendingWrite::Sent::kFailed;
      attempts = target.attempts++;
      counted = std::move(target.counted);
    }
  }
  if (counted != nullptr) counted->SendEnded(false);
  ResendLater(write, gate, server, attempts);
}

void WritePath::Send(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server) {
  v1::ReplicateRequest request;
  *request.mutable_write() = write->request;
  const Standing standing = context_.table.Current(write->group);
  request.mutable_write()->mutable_chunk()->set_epoch(standing.group->epoch.value);
  request.set_version_epoch(write->version.epoch.value);
  request.set_version_counter(write->version.counter);
  for (const PendingWritePtr& before : gate->Writes()) {
    if (before == write) break;
    absl::MutexLock lock(&before->mu);
    for (const PendingWrite::Target& target : before->targets) {
      if (target.server != server || target.state == PendingWrite::Sent::kDone) continue;
      request.set_after_epoch(before->version.epoch.value);
      request.set_after_counter(before->version.counter);
    }
  }
  if (gate->WasTrimmedSince(write->request.chunk().generation())) {
    *request.mutable_trim() = AddressOf(*gate->trim);
  }
  context_.peers.CallAsync(
      server, v1::CHUNK_REPLICATE, request, write->data, Deadline::After(kReplicateDeadline),
      [this, write, gate, server, trim = request.trim().generation()](
          const Result<RawReply>& reply) { Sent(write, gate, server, trim, reply); });
}

void WritePath::Sent(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server,
                     uint64_t trim, const Result<RawReply>& reply) {
  const auto response =
      reply.has_value() ? reply->Parse<v1::ReplicateResponse>() : Fail(reply.error());
  if (!response.has_value()) return Answered(write, gate, server, response);
  const uint64_t there = std::max(trim, response->trim().generation());
  const auto judge = [this, write, gate, server, there, answer = *response] {
    HasTrims(*write, there) ? Answered(write, gate, server, answer) : PutOff(write, gate, server);
  };
  if (!response->has_trim()) return judge();
  gate->OrderResend([this, write, gate, server, judge, made_there = FileOf(response->trim())] {
    const Status made = MakeTrim(write, gate, server, made_there);
    if (made.ok()) return judge();
    LOG_WARN("a trim that a member made cannot be made here chunk={} server={} reason={}",
             write->id, server, made);
    PutOff(write, gate, server);
  });
}

// This server was still catching up when it was made, or was started since; so may others.
Status WritePath::MakeTrim(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId from,
                           const FileState& trim) {
  if (gate->KnowsTrim(trim.generation)) return OkStatus();
  const Standing standing = context_.table.Current(write->group);
  if (standing.group == nullptr || standing.role != OwnRole::kPrimary) return OkStatus();
  const EpochBarrier::Pass pass(context_.barrier, write->group, standing.group->epoch);
  const Status made = RemoveHere(context_, *gate, write->id, write->group, trim, false);
  context_.HeardStore(made);
  RETURN_IF_ERROR(made);
  std::vector<ServerId> others;
  {
    absl::MutexLock lock(&write->mu);
    write->trim = trim.generation;
    for (const PendingWrite::Target& target : write->targets) {
      const bool has_it = target.state == PendingWrite::Sent::kDone;
      if (has_it && target.server != from) others.push_back(target.server);
    }
  }
  for (const ServerId server : others) PutOff(write, gate, server);
  return OkStatus();
}

void WritePath::Answered(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server,
                         const Result<v1::ReplicateResponse>& response) {
  const bool ok = response.has_value();
  int attempts = 0;
  std::shared_ptr<Attachment> counted;
  {
    absl::MutexLock lock(&write->mu);
    for (PendingWrite::Target& target : write->targets) {
      if (target.server != server) continue;
      target.state = ok ? PendingWrite::Sent::kDone : PendingWrite::Sent::kFailed;
      attempts = ++target.attempts;
      counted = std::move(target.counted);
    }
  }
  if (counted != nullptr) counted->SendEnded(ok);
  if (ok) {
    context_.faults.Answered(write->group, server);
    context_.faults.HeardSpace(server, response->available_bytes(), response->near_full());
  } else {
    const Standing standing = context_.table.Current(write->group);
    if (response.error().code() == ErrorCode::kStaleEpoch) context_.table.WantRefresh();
    if (standing.group != nullptr && standing.group->IsActive(server)) {
      context_.faults.Failed(write->group, standing.group->epoch, server, response.error());
    }
    ResendLater(write, gate, server, attempts);
  }
  Evaluate(write, gate);
}

void WritePath::ResendLater(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server,
                            int attempts) {
  {
    absl::MutexLock lock(&write->mu);
    if (write->finished) return;
  }
  const auto delay = std::chrono::milliseconds(std::min(5 << std::min(attempts, 6), 300));
  context_.urgent.RunAfter(delay, [this, gate, server] { Resend(gate, server); });
}

void WritePath::Resend(const ChunkGatePtr& gate, ServerId server) {
  gate->OrderResend([this, gate, server] {
    for (const PendingWritePtr& write : gate->Writes()) {
      const Required required = context_.primaries.RequiredOf(write->group);
      if (required.standing.role != OwnRole::kPrimary) continue;
      if (std::find(required.servers.begin(), required.servers.end(), server) ==
          required.servers.end()) {
        continue;
      }
      {
        absl::MutexLock lock(&write->mu);
        const auto target =
            std::find_if(write->targets.begin(), write->targets.end(),
                         [&](const PendingWrite::Target& t) { return t.server == server; });
        if (write->finished || target == write->targets.end()) continue;
        if (target->state != PendingWrite::Sent::kFailed) continue;
        target->state = PendingWrite::Sent::kWaiting;
      }
      Send(write, gate, server);
    }
  });
}

}  // namespace cairn
