// One write of a chunk, from its first try to its last, and the syncing of many chunks.
#include <algorithm>
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
    began_ = SystemClock().Now();
    uint32_t chunk_size = 0;
    {
      absl::MutexLock lock(&state_->mu);
      chunk_size = state_->file.layout().chunk_size();
    }
    Result<ChunkClient::Target> target =
        client_->Aim(state_, static_cast<uint32_t>(offset_ / chunk_size), TokenUse::kWrite,
                     deadline_);
    if (!target.has_value()) return Answered(Fail(target.error()));
    // Asked once the address names the cuts: one that comes later drops what this write brings.
    if (MustAnnounce(chunk_size)) return done_(OkStatus(), {0, Epoch(), true});
    *request_.mutable_chunk() = std::move(target->address);
    request_.set_offset(static_cast<uint32_t>(offset_ % chunk_size));
    target->channel->CallAsync(
        v1::CHUNK_WRITE, request_, data_, Earlier(deadline_, kLongestWrite),
        [self = shared_from_this()](Result<RawReply> reply) { self->Answered(std::move(reply)); });
  }

 private:
  static ChunkClient::Taken TakenAs(const v1::ChunkAddress& chunk) {
    return {chunk.generation(), Epoch(chunk.epoch())};
  }

  static bool SaysNearFull(const Result<RawReply>& reply) {
    if (!reply.has_value()) return reply.error().code() == ErrorCode::kNoSpace;
    const auto response = reply->Parse<v1::WriteChunkResponse>();
    return response.has_value() && response->near_full();
  }

  bool MustAnnounce(uint32_t chunk_size) {
    absl::MutexLock lock(&state_->mu);
    return state_->MustAnnounce(static_cast<uint32_t>(offset_ / chunk_size),
                                offset_ + data_.size());
  }

  void Answered(Result<RawReply> reply) {
    if (SaysNearFull(reply)) client_->near_full_->HeardOfDisk();
    if (reply.has_value()) return done_(OkStatus(), TakenAs(request_.chunk()));
    Status status = std::move(reply.error());
    Duration rest = backoff_.Next();
    if (!ChunkClient::Curable(status) || deadline_.Left() <= rest) return done_(status, {});
    ChunkClient::Failure failure{std::move(status), began_, SystemClock().Now()};
    client_->executor_->RunAfter(rest, [self = shared_from_this(), failure] {
      self->client_->Cure(self->state_, failure, self->deadline_);
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
  BootTime began_;                 // that one
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
  UnsyncedChunks failed ABSL_GUARDED_BY(mu);
  Status first_failure ABSL_GUARDED_BY(mu);
  Status lost ABSL_GUARDED_BY(mu);

  void Add(const UnsyncedChunks& chunks, const Status& status) {
    absl::MutexLock lock(&mu);
    --missing;
    if (status.ok()) return;
    if (status.code() == ErrorCode::kIoError && chunks.HasOwnWrites()) {
      // Power was lost since they were written. What is there now is still to be synced: other
      // chunks of the batch lost nothing.
      failed.AddAll(chunks.WithoutOwnWrites());
      if (lost.ok()) lost = status;
      return;
    }
    failed.AddAll(chunks);
    if (first_failure.ok()) first_failure = status;
  }
};

struct SyncBatch {
  std::shared_ptr<Channel> channel;
  v1::SyncChunksRequest request;
  UnsyncedChunks chunks;

  void Add(v1::ChunkAddress address, Epoch oldest) {
    chunks.Add(address.index(), oldest);
    // A chunk without own writes has none that is older than this epoch.
    request.add_oldest_write_epochs(std::min(oldest.value, address.epoch()));
    if (request.chunks_size() > 0) address.clear_token();  // that of the first one counts
    *request.add_chunks() = std::move(address);
  }
};

}  // namespace

// Syncs the first of what is left, and leaves there what is not synced.
Status ChunkClient::SyncOnce(const InodeStatePtr& state, SyncOutcome& outcome, Deadline deadline) {
  std::vector<SyncBatch> batches;
  absl::flat_hash_map<const Channel*, size_t> batch_of;
  UnsyncedChunks later;
  size_t taken = 0;
  for (const auto& [first, run] : outcome.left.runs()) {
    for (uint64_t index = first; index < run.end; ++index) {
      if (taken++ >= kMostChunksInSync) {
        later.AddRange(index, run.end, run.oldest);
        break;
      }
      ASSIGN_OR_RETURN(Target target, Aim(state, static_cast<uint32_t>(index), TokenUse::kSync,
                                          deadline));
      auto [it, added] = batch_of.try_emplace(target.channel.get(), batches.size());
      if (added) batches.push_back({target.channel, {}, {}});
      batches[it->second].Add(std::move(target.address), run.oldest);
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
  outcome.left = std::move(later);
  outcome.left.AddAll(gathering->failed);
  if (outcome.lost.ok()) outcome.lost = gathering->lost;
  return gathering->first_failure;
}

ChunkClient::SyncOutcome ChunkClient::Sync(const InodeStatePtr& state, UnsyncedChunks chunks,
                                           Duration patience) {
  Deadline deadline = Deadline::After(patience);
  Backoff backoff;
  SyncOutcome outcome;
  outcome.left = std::move(chunks);
  while (!outcome.left.empty()) {
    uint64_t before = outcome.left.count();
    const BootTime began = SystemClock().Now();
    outcome.status = SyncOnce(state, outcome, deadline);
    BootTime now = SystemClock().Now();
    if (outcome.left.count() < before) {
      deadline = Deadline::After(patience);
      backoff = Backoff();
      absl::MutexLock lock(&state->mu);
      state->progress = now;
    }
    if (outcome.status.ok()) continue;
    if (!Curable(outcome.status) || !backoff.Sleep(deadline)) return outcome;
    Cure(state, {outcome.status, began, now}, deadline);
  }
  return outcome;
}

}  // namespace cairn::client
