// One write of a chunk, from its first try to its last, and the syncing of many chunks.
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "cairn/v1/chunk.pb.h"
#include "client/backoff.h"
#include "client/chunk_client.h"

namespace cairn::client {

namespace {
// The primary finishes what it has ordered once a silent member is removed: give it the time.
constexpr Duration kLongestWrite = timing::kMemberRemoved * 2;
// Longer than a primary waits for its members: its answer says more than our own silence.
constexpr Duration kLongestSync = std::chrono::seconds(15);
constexpr size_t kMostChunksInSync = 256;  // so that a try ends although much is to be synced
}  // namespace

// Owns itself until answered: every callback holds a reference.
class ChunkWrite : public std::enable_shared_from_this<ChunkWrite> {
 public:
  ChunkWrite(ChunkClient* client, InodeStatePtr state, uint64_t offset, Payload data,
             Deadline deadline, ChunkClient::WriteDone done)
      : client_(client), state_(std::move(state)), offset_(offset), data_(std::move(data)),
        deadline_(deadline), done_(std::move(done)), sequence_(client->next_sequence_++) {
    for (uint32_t crc : PieceCrcs(data_.bytes(), offset_ % kBlockSize)) request_.add_crcs(crc);
    request_.set_sequence(sequence_);
  }

  void Send() {
    uint32_t chunk_size = 0;
    {
      absl::MutexLock lock(&state_->mu);
      chunk_size = state_->file.layout().chunk_size();
    }
    Result<ChunkClient::Target> target =
        client_->Aim(state_, static_cast<uint32_t>(offset_ / chunk_size), deadline_);
    if (!target.has_value()) return Answered(Fail(target.error()));
    *request_.mutable_chunk() = std::move(target->address);
    request_.set_offset(static_cast<uint32_t>(offset_ % chunk_size));
    target->channel->CallAsync(
        v1::CHUNK_WRITE, request_, data_, Earlier(deadline_, kLongestWrite),
        [self = shared_from_this()](Result<RawReply> reply) { self->Answered(std::move(reply)); });
  }

 private:
  void Answered(Result<RawReply> reply) {
    if (reply.has_value()) return done_(OkStatus(), request_.chunk().generation());
    Status status = std::move(reply.error());
    Duration rest = backoff_.Next();
    if (!ChunkClient::Curable(status) || deadline_.Left() <= rest) return done_(status, 0);
    BootTime failed = SystemClock().Now();
    client_->executor_->RunAfter(rest, [self = shared_from_this(), status, failed] {
      self->client_->Cure(self->state_, status, failed, self->deadline_);
      self->Send();
    });
  }

  ChunkClient* const client_;
  const InodeStatePtr state_;
  const uint64_t offset_;
  const Payload data_;
  const Deadline deadline_;
  const ChunkClient::WriteDone done_;
  const uint64_t sequence_;
  v1::WriteChunkRequest request_;  // one try at a time
  Backoff backoff_;
};

void ChunkClient::Write(const InodeStatePtr& state, uint64_t offset, Payload data,
                        Deadline deadline, WriteDone done) {
  std::make_shared<ChunkWrite>(this, state, offset, std::move(data), deadline, std::move(done))
      ->Send();
}

namespace {

// The answers of requests sent side by side.
struct Gathering {
  absl::Mutex mu;
  size_t missing ABSL_GUARDED_BY(mu) = 0;
  RunSet failed ABSL_GUARDED_BY(mu);
  Status first_failure ABSL_GUARDED_BY(mu);

  void Add(const RunSet& chunks, const Status& status) {
    absl::MutexLock lock(&mu);
    --missing;
    if (status.ok()) return;
    failed.AddAll(chunks);
    if (first_failure.ok()) first_failure = status;
  }
};

struct SyncBatch {
  std::shared_ptr<Channel> channel;
  v1::SyncChunksRequest request;
  RunSet chunks;
};

}  // namespace

// Syncs the first of `left`, and leaves there what is not synced.
Status ChunkClient::SyncOnce(const InodeStatePtr& state, RunSet& left, Deadline deadline) {
  std::vector<SyncBatch> batches;
  absl::flat_hash_map<const Channel*, size_t> batch_of;
  RunSet later;
  size_t taken = 0;
  for (const auto& [first, end] : left.runs()) {
    for (uint64_t index = first; index < end; ++index) {
      if (taken++ >= kMostChunksInSync) {
        later.AddRange(index, end);
        break;
      }
      ASSIGN_OR_RETURN(Target target, Aim(state, static_cast<uint32_t>(index), deadline));
      auto [it, added] = batch_of.try_emplace(target.channel.get(), batches.size());
      if (added) batches.push_back({target.channel, {}, {}});
      SyncBatch& batch = batches[it->second];
      *batch.request.add_chunks() = std::move(target.address);
      batch.chunks.Add(static_cast<uint32_t>(index));
    }
  }
  auto gathering = std::make_shared<Gathering>();
  {
    absl::MutexLock lock(&gathering->mu);
    gathering->missing = batches.size();
  }
  for (SyncBatch& batch : batches) {
    batch.channel->CallAsync(v1::CHUNK_SYNC, batch.request, {}, Earlier(deadline, kLongestSync),
                             [gathering, chunks = batch.chunks](const Result<RawReply>& reply) {
                               gathering->Add(chunks, internal::StatusOf(reply));
                             });
  }
  absl::MutexLock lock(&gathering->mu);
  auto all = [&]() ABSL_SHARED_LOCKS_REQUIRED(gathering->mu) { return gathering->missing == 0; };
  if (!AwaitUntil(gathering->mu, all, Deadline::After(kLongestSync * 2))) {
    return Status::Error(ErrorCode::kDeadlineExceeded, "syncing inode {} is not answered",
                         state->id);
  }
  left = std::move(later);
  left.AddAll(gathering->failed);
  return gathering->first_failure;
}

Status ChunkClient::Sync(const InodeStatePtr& state, const RunSet& chunks, Duration patience) {
  Deadline deadline = Deadline::After(patience);
  Backoff backoff;
  RunSet left = chunks;
  while (!left.empty()) {
    uint64_t before = left.count();
    Status status = SyncOnce(state, left, deadline);
    BootTime now = SystemClock().Now();
    if (left.count() < before) {
      deadline = Deadline::After(patience);
      backoff = Backoff();
      absl::MutexLock lock(&state->mu);
      state->progress = now;
    }
    if (status.ok()) continue;
    if (!Curable(status) || !backoff.Sleep(deadline)) return status;
    Cure(state, status, now, deadline);
  }
  return OkStatus();
}

}  // namespace cairn::client
