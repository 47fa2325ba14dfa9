#include "client/chunk_client.h"

#include <algorithm>
#include <utility>

#include "cairn/v1/chunk.pb.h"
#include "client/backoff.h"
#include "client/token_renewal.h"
#include "common/crc32c.h"
#include "common/logging.h"

namespace cairn::client {

namespace {

// A paused primary is replaced within kMemberRemoved: longer waiting for one answer is useless.
constexpr Duration kLongestRead = timing::kMemberRemoved + std::chrono::milliseconds(500);
constexpr Duration kLongestCure = std::chrono::seconds(2);
constexpr int kReadsOfDamage = 2;

Payload Zeros(size_t length) {
  Payload zeros = Payload::Allocate(length);
  std::fill(zeros.writable().begin(), zeros.writable().end(), std::byte{0});
  return zeros;
}

Result<Payload> Checked(const InodeState& state, const v1::ReadChunkRequest& request,
                        const RawReply& reply) {
  ASSIGN_OR_RETURN(v1::ReadChunkResponse response, reply.Parse<v1::ReadChunkResponse>());
  if (response.absent()) {
    if (!request.must_exist()) return Zeros(request.length());
    return Fail(ErrorCode::kIoError, "chunk {}/{} is missing", state.id.value,
                request.chunk().index());
  }
  std::vector<uint32_t> crcs(response.crcs().begin(), response.crcs().end());
  if (reply.payload.size() != request.length() || PieceCrcs(reply.payload.bytes(), 0) != crcs) {
    return Fail(ErrorCode::kCorruption, "chunk {}/{} does not match its checksums at {}",
                state.id.value, request.chunk().index(), request.offset());
  }
  return reply.payload;
}

}  // namespace

std::vector<uint32_t> PieceCrcs(std::span<const std::byte> data, uint64_t offset) {
  std::vector<uint32_t> crcs;
  crcs.reserve(data.size() / kBlockSize + 2);
  while (!data.empty()) {
    size_t piece = std::min<size_t>(data.size(), kBlockSize - offset % kBlockSize);
    crcs.push_back(Crc32c(data.first(piece)));
    data = data.subspan(piece);
    offset += piece;
  }
  return crcs;
}

ChunkClient::ChunkClient(ChannelPool* channels, ClusterMapCache* map, MetadataClient* metadata,
                         Executor* executor, NearFull* near_full, LocalReads* local)
    : channels_(channels),
      map_(map),
      metadata_(metadata),
      executor_(executor),
      near_full_(near_full),
      local_(local) {
  // A mount that comes back with its session must not repeat the numbers of its earlier life.
  WallTime now = SystemClock().WallNow();
  next_sequence_ = static_cast<uint64_t>(now.seconds) * 1'000'000'000 + now.nanoseconds;
}

Result<ChunkClient::Target> ChunkClient::Aim(const InodeStatePtr& state, uint32_t index,
                                             TokenUse use, Deadline deadline) {
  if (metadata_->session().Current() != state->session) {
    local_->EndSession(state->session);
    return Fail(ErrorCode::kIoError, "the session that opened inode {} was lost", state->id);
  }
  Target target;
  v1::Layout layout;
  {
    absl::MutexLock lock(&state->mu);
    target.address = state->AddressOf(index, use);
    layout = state->file.layout();
  }
  ASSIGN_OR_RETURN(target.route, map_->Locate(layout, index, deadline));
  target.address.set_group(target.route.group.value);
  target.address.set_epoch(target.route.epoch.value);
  target.channel = channels_->Get(target.route.address, target.route.primary);
  return target;
}

bool ChunkClient::Curable(const Status& status) {
  switch (status.code()) {
    case ErrorCode::kStaleEpoch:
    case ErrorCode::kNotPrimary:
    case ErrorCode::kBelowMinActive:
    case ErrorCode::kStaleGeneration:
    case ErrorCode::kUnknownSession:
    case ErrorCode::kTokenRefused:
    case ErrorCode::kFenced:
    case ErrorCode::kBusy:
      return true;
    default:
      return IsTransient(status.code());
  }
}

void ChunkClient::Cure(const InodeStatePtr& state, const Failure& failure, Deadline deadline) {
  deadline = Earlier(deadline, kLongestCure);
  const ErrorCode code = failure.status.code();
  if (code == ErrorCode::kUnknownSession) return metadata_->session().CheckSoon();
  // It is over: the next try is answered with kIoError (rule L1).
  if (code == ErrorCode::kFenced) return metadata_->session().Lost(state->session);
  if (code == ErrorCode::kTokenRefused) {
    return RenewTokens(*metadata_, state, failure.began, deadline);
  }
  if (code == ErrorCode::kStaleGeneration) {
    v1::GetAttributesRequest request;
    request.set_inode(state->id.value);
    auto entry =
        metadata_->Query<v1::EntryResponse>(v1::METADATA_GET_ATTRIBUTES, request, deadline);
    absl::MutexLock lock(&state->mu);
    if (entry.has_value()) state->Learn(*entry);
    return;
  }
  v1::Layout layout;
  {
    absl::MutexLock lock(&state->mu);
    layout = state->file.layout();
  }
  Status fetched = map_->Refresh(failure.failed, layout, deadline);
  if (!fetched.ok()) LOG_DEBUG("cluster map not fetched cause=\"{}\"", fetched);
}

Result<Payload> ChunkClient::ReadOnce(const InodeStatePtr& state, uint64_t offset, size_t length,
                                      bool must_exist, Deadline deadline) {
  uint32_t chunk_size = 0;
  {
    absl::MutexLock lock(&state->mu);
    chunk_size = state->file.layout().chunk_size();
    // Somebody may have cut the file since the caller looked.
    uint32_t index = static_cast<uint32_t>(offset / chunk_size);
    must_exist = must_exist && state->PresenceOf(index) == InodeState::Presence::kHolds;
  }
  v1::ReadChunkRequest request;
  ASSIGN_OR_RETURN(Target target, Aim(state, static_cast<uint32_t>(offset / chunk_size),
                                      TokenUse::kRead, deadline));
  const auto in_chunk = static_cast<uint32_t>(offset % chunk_size);
  std::optional<Payload> here =
      local_->Read(target.route, target.address, in_chunk, static_cast<uint32_t>(length));
  if (here.has_value()) return *std::move(here);
  *request.mutable_chunk() = std::move(target.address);
  request.set_offset(in_chunk);
  request.set_length(static_cast<uint32_t>(length));
  request.set_must_exist(must_exist);
  ASSIGN_OR_RETURN(RawReply reply, target.channel->CallRaw(v1::CHUNK_READ, request, {},
                                                           Earlier(deadline, kLongestRead)));
  return Checked(*state, request, reply);
}

Result<Payload> ChunkClient::Read(const InodeStatePtr& state, uint64_t offset, size_t length,
                                  bool must_exist, Deadline deadline) {
  Backoff backoff;
  int damaged = 0;
  bool missed = false;
  for (;;) {
    const BootTime began = SystemClock().Now();
    Result<Payload> bytes = ReadOnce(state, offset, length, must_exist, deadline);
    if (bytes.has_value()) return bytes;
    BootTime failed = SystemClock().Now();
    Status status = bytes.error();
    if (status.code() == ErrorCode::kCorruption) {
      if (++damaged < kReadsOfDamage) continue;
      LOG_ERROR("read fails its checksums inode={} offset={}", state->id, offset);
      return Fail(ErrorCode::kIoError, "{}", status.message());
    }
    if (status.code() == ErrorCode::kChunkMissing) {
      // Either our map is old, or every copy is gone.
      if (std::exchange(missed, true)) return Fail(ErrorCode::kIoError, "{}", status.message());
      status = Status(ErrorCode::kStaleGeneration, status.message());
    }
    if (!Curable(status) || !backoff.Sleep(deadline)) return bytes;
    Cure(state, {status, began, failed}, deadline);
  }
}

bool ChunkClient::ReadsLocally(const InodeState& state, uint32_t index) const {
  const Result<Route> route = map_->Get(state.file.layout(), index);
  return route.has_value() && local_->WillRead(*route, {state.id, index});
}

void ChunkClient::ReadAhead(const InodeStatePtr& state, const ReadAheadPtr& ahead,
                            Deadline deadline) {
  auto finish = [ahead](Result<RawReply> reply) {
    Result<v1::ReadChunkResponse> response =
        reply.has_value() ? reply->Parse<v1::ReadChunkResponse>() : Fail(reply.error());
    absl::MutexLock lock(&ahead->mu);
    ahead->done = true;
    if (!response.has_value() || response->absent() || reply->payload.size() != ahead->length) {
      // The reader asks again by itself and finds out why.
      ahead->status = Status(ErrorCode::kUnavailable, "not read ahead");
      return;
    }
    ahead->crcs.assign(response->crcs().begin(), response->crcs().end());
    ahead->payload = std::move(reply->payload);
  };
  uint32_t chunk_size = 0;
  {
    absl::MutexLock lock(&state->mu);
    chunk_size = state->file.layout().chunk_size();
  }
  Result<Target> target = Aim(state, static_cast<uint32_t>(ahead->offset / chunk_size),
                              TokenUse::kRead, deadline);
  if (!target.has_value()) return finish(Fail(target.error()));
  v1::ReadChunkRequest request;
  *request.mutable_chunk() = std::move(target->address);
  request.set_offset(static_cast<uint32_t>(ahead->offset % chunk_size));
  request.set_length(static_cast<uint32_t>(ahead->length));
  request.set_must_exist(true);
  target->channel->CallAsync(v1::CHUNK_READ, request, {}, Earlier(deadline, kLongestRead), finish);
}

}  // namespace cairn::client
