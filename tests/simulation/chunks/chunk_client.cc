#include "tests/simulation/chunks/chunk_client.h"

#include <algorithm>
#include <utility>

#include "common/crc32c.h"

namespace cairn::simulation::chunks {
namespace {

constexpr Node kFirstClient = 1001;
constexpr Time kCallWait = 5s;
constexpr Time kPatience = 30s;
constexpr Node kNodesPerLife = 100;

// The group has moved, or nobody knows what came of it: the same request may be sent again.
bool MayRetry(ErrorCode code) {
  return code == ErrorCode::kStaleEpoch || code == ErrorCode::kNotPrimary ||
         code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kBusy || code == ErrorCode::kBelowMinActive ||
         code == ErrorCode::kCancelled || code == ErrorCode::kInternal ||
         code == ErrorCode::kTokenRefused;
}

std::vector<uint32_t> CrcsOf(uint32_t offset, std::span<const std::byte> data) {
  std::vector<uint32_t> crcs;
  for (size_t at = 0; at < data.size();) {
    const size_t length = std::min(kBlockSize - (offset + at) % kBlockSize, data.size() - at);
    crcs.push_back(Crc32c(data.subspan(at, length)));
    at += length;
  }
  return crcs;
}

}  // namespace

ChunkClient::ChunkClient(ChunkWorld& world, Wires& wires, FileTruth& truth, MapKeeper& keeper,
                         const ChunkDamage& damage, int number)
    : world_(world),
      wires_(wires),
      truth_(truth),
      keeper_(keeper),
      damage_(damage),
      number_(number),
      session_(static_cast<uint64_t>(number) + 1),
      random_(world.plan.seed, 0xc11e + session_.value),
      domain_(Time(7s), 0),
      port_(std::make_shared<Port>(world, domain_, kFirstClient + static_cast<Node>(number))) {}

void ChunkClient::Start() {
  world_.fibers.Start(domain_, [this] { Run(); });
}

const v1::PlacementGroup& ChunkClient::RowOf(PgId group) {
  return map_.try_emplace(group, keeper_.group(group)).first->second;
}

std::optional<ServerId> ChunkClient::Primary(PgId group) {
  const v1::Member* primary = PrimaryOf(RowOf(group));
  if (primary == nullptr) return std::nullopt;
  return ServerId(primary->server());
}

void ChunkClient::EndSession(bool zombie) {
  state_ = zombie ? State::kZombie : State::kGone;
  zombie_until_ = world_.now() + random_.Between(Time(1s), Time(20s));
  world_.trace.Line([&] {
    return fmt::format("client of session {} {}", session_, zombie ? "is a zombie" : "is gone");
  });
  if (!zombie) port_->Close();
}

// What it had written and not synced went with it: nobody waits for an fsync of it.
void ChunkClient::BeginAnew() {
  port_->Close();
  ++lives_;
  const Node node = kFirstClient + static_cast<Node>(number_ + lives_ * kNodesPerLife);
  port_ = std::make_shared<Port>(world_, domain_, node);
  session_ = keeper_.sessions().Open();
  state_ = State::kServed;
  sequence_ = 0;
  tokens_.clear();
  map_.clear();
  unsynced_.clear();
}

bool ChunkClient::HasPassed() const {
  return keeper_.sessions().PassedAt(session_) <= world_.now();
}

bool ChunkClient::IsServedInVain(const Result<RawReply>& reply, ChunkId id) {
  if (!reply.has_value() || keeper_.sessions().PassedAt(session_) > asked_) return false;
  world_.violations.Add("L1", fmt::format("chunk {}: session {} was served after its fence had "
                                          "passed",
                                          id, session_));
  return true;
}

void ChunkClient::Run() {
  while (!finishing_) {
    const int haste = state_ == State::kZombie ? 4 : 1;
    world_.fibers.Sleep(random_.Around(world_.plan.think_time / haste));
    const bool is_over =
        state_ == State::kGone || (state_ == State::kZombie && world_.now() > zombie_until_);
    if (is_over) BeginAnew();
    // Now and then it knows the map's latest state, as one that has just come does.
    if (random_.Chance(30)) map_.clear();
    const InodeId inode = finishing_ ? InodeId() : ChooseFile();
    if (inode.value != 0) DoSomething(inode);
  }
  done_ = true;
}

// A zombie that was shut out may come back to files that are gone meanwhile.
InodeId ChunkClient::ChooseFile() {
  std::vector<InodeId> files = truth_.Live();
  if (state_ == State::kZombie && keeper_.sessions().IsShutOut(session_)) {
    files.clear();
    for (const auto& [inode, token] : tokens_) {
      const SimulatedFile& file = truth_.file(inode);
      const bool was_open = !file.removed || file.last_holder == session_;
      if (was_open || HasPassed()) files.push_back(inode);
    }
  }
  return files.empty() ? InodeId() : files[random_.Below(files.size())];
}

// Only who has a session gets another one.
std::string ChunkClient::TokenFor(InodeId inode) {
  const auto found = tokens_.find(inode);
  if (found != tokens_.end()) return found->second;
  if (state_ != State::kServed) return {};
  return tokens_[inode] = keeper_.sessions().Seal(session_, inode, truth_.file(inode).generation);
}

void ChunkClient::DoSomething(InodeId inode) {
  const ChunkPlan& plan = world_.plan;
  SimulatedFile& file = truth_.file(inode);
  const ChunkId id{inode, static_cast<uint32_t>(random_.Below(static_cast<uint64_t>(plan.chunks)))};
  const int what = random_.Between(0, 999);
  int limit = plan.truncates;
  const bool is_cold = plan.cold_after != Time(0) && world_.now() > plan.cold_after;
  if (is_cold && inode.value % 2 == 0 && what < limit + plan.removals + plan.syncs + plan.writes) {
    return;
  }
  // These two are the metaserver's: it hears no zombie.
  if (state_ != State::kServed && what < limit + plan.removals) return;
  if (what < limit) {
    const uint64_t sectors = random_.Below(uint64_t{8} * kBlocksInUse.size() + 1);
    const uint64_t start = random_.Chance(300) ? 0 : uint64_t{id.index} * kChunkBytes;
    return truth_.Truncate(inode, start + sectors * kSectorBytes);
  }
  if (what < (limit += plan.removals)) {
    if (file.holders.empty()) truth_.Remove(inode);
    return;
  }
  const SessionId holder = session_;
  if (!HasPassed()) file.holders.insert(holder);
  bool is_over = true;
  if (what < (limit += plan.syncs)) {
    Sync(id);
  } else if (what < limit + plan.writes) {
    is_over = Write(id);
  } else {
    const size_t first = random_.Below(kBlocksInUse.size());
    Read(id, kBlocksInUse[first], static_cast<uint32_t>(random_.Between(1, 3)));
  }
  const auto held = file.holders.find(holder);
  if (is_over && held != file.holders.end()) file.holders.erase(held);
}

template <typename Request, typename Prepare>
Result<RawReply> ChunkClient::Ask(v1::Method method, Request& request, const Payload& payload,
                                  Prepare prepare) {
  const Time end = world_.now() + kPatience;
  while (true) {
    v1::ChunkAddress& chunk = prepare();
    const PgId group(chunk.group());
    chunk.set_epoch(RowOf(group).epoch());
    chunk.set_session(session_.value);
    chunk.set_token(TokenFor(InodeId(chunk.inode())));
    const std::optional<ServerId> primary = Primary(group);
    Result<RawReply> reply = Fail(ErrorCode::kUnavailable, "nobody is active");
    asked_ = world_.now();
    if (primary.has_value()) {
      reply = wires_.CallAndWait(port_, keeper_.NodeOf(*primary), method, request, payload,
                                 Deadline::After(kCallWait));
    }
    if (reply.has_value() || state_ == State::kGone || world_.now() > end) return reply;
    if (world_.violations.first()) return reply;  // the run is over
    map_.erase(group);
    const ErrorCode code = reply.error().code();
    if (code == ErrorCode::kTokenRefused) tokens_.erase(InodeId(chunk.inode()));
    const bool is_zombie = state_ == State::kZombie;
    if (is_zombie && (finishing_ || world_.now() > zombie_until_)) return reply;
    if (!MayRetry(code) && !(is_zombie && code == ErrorCode::kFenced)) return reply;
    world_.fibers.Sleep(random_.Between(Time(1ms), Time(300ms)));
  }
}

bool ChunkClient::Write(ChunkId id) {
  const uint32_t block = kBlocksInUse[random_.Below(kBlocksInUse.size())];
  uint32_t offset = block * kBlockSize;
  uint32_t length = static_cast<uint32_t>(random_.Between(1, 2)) * kBlockSize;
  if (random_.Chance(400)) {  // parts of blocks
    offset += static_cast<uint32_t>(random_.Between(0, 7)) * kSectorBytes;
    length = static_cast<uint32_t>(random_.Between(1, 12)) * kSectorBytes;
  }
  const uint64_t tag = truth_.NewTag();
  std::vector<std::byte> data(length);
  FillSectors(data, tag);
  v1::WriteChunkRequest request;
  *request.mutable_chunk() = truth_.AddressOf(id);
  request.set_offset(offset);
  request.set_sequence(++sequence_);
  for (const uint32_t crc : CrcsOf(offset, data)) request.add_crcs(crc);
  const uint64_t generation = request.chunk().generation();
  const Time begun = world_.now();
  if (!HasPassed()) truth_.BeginWrite(id, offset, length, tag, session_);
  world_.trace.Line([&] {
    return fmt::format("client {} writes {:x} to chunk {} at {} + {}, generation {}", session_, tag,
                       id, offset, length, generation);
  });
  const Result<RawReply> reply =
      Ask(v1::CHUNK_WRITE, request, Payload::CopyOf(data), [&]() -> v1::ChunkAddress& {
        const uint64_t epoch = RowOf(truth_.GroupOf(id)).epoch();
        const uint64_t before = request.chunk().epoch();
        if (before != 0 && before != epoch && !HasPassed()) {
          truth_.BeginWrite(id, offset, length, tag, session_);
        }
        return *request.mutable_chunk();
      });
  world_.trace.Line([&] {
    return fmt::format("client {} wrote {:x}: {}", session_, tag,
                       reply.has_value() ? std::string("ok") : reply.error().ToString());
  });
  if (IsServedInVain(reply, id)) return true;
  SimulatedFile& file = truth_.file(id.inode);
  if (reply.has_value()) {
    const AcknowledgedWrite write{offset, length, tag, begun, world_.now()};
    truth_.EndWrite(id, write, asked_);
    const Epoch epoch(request.chunk().epoch());
    unsynced_.try_emplace(id, Unsynced{epoch, {}}).first->second.writes.push_back(write);
    if (file.generation == generation) file.runs.insert(id.index);
    return true;
  }
  const ErrorCode code = reply.error().code();
  const bool may_be = state_ != State::kServed || MayRetry(code) || code == ErrorCode::kNoSpace ||
                      code == ErrorCode::kStaleGeneration ||
                      (code == ErrorCode::kIoError && (truth_.was_lost(truth_.GroupOf(id)) ||
                                                       damage_.MayBeUnreadable(id, asked_)));
  if (!may_be) world_.violations.Add("write", fmt::format("chunk {}: {}", id, reply.error()));
  return false;
}

void ChunkClient::Read(ChunkId id, uint32_t block, uint32_t blocks) {
  v1::ReadChunkRequest request;
  request.set_offset(block * kBlockSize);
  request.set_length(blocks * kBlockSize);
  // Asked again after a cut it knows of the cut, as one would that has the inode's lease.
  const auto prepare = [&]() -> v1::ChunkAddress& {
    *request.mutable_chunk() = truth_.AddressOf(id);
    request.set_must_exist(truth_.file(id.inode).runs.contains(id.index));
    return *request.mutable_chunk();
  };
  const Result<RawReply> reply = Ask(v1::CHUNK_READ, request, {}, prepare);
  if (IsServedInVain(reply, id)) return;
  if (reply.has_value()) {
    world_.trace.Line([&] {
      return fmt::format("client {} read chunk {} at {} + {}, generation {}: {} bytes", session_,
                         id, request.offset(), request.length(), request.chunk().generation(),
                         reply->payload.size());
    });
    return truth_.Read(id, request.offset(), request.length(), reply->payload.view(), asked_);
  }
  const ErrorCode code = reply.error().code();
  if (state_ != State::kServed || MayRetry(code) || code == ErrorCode::kStaleGeneration) return;
  const bool was_lost = truth_.was_lost(truth_.GroupOf(id));
  const bool is_damaged = damage_.MayBeUnreadable(id, asked_);
  if (code == ErrorCode::kIoError && (was_lost || is_damaged)) return;
  // The file may have been cut since it was asked.
  const bool still = truth_.file(id.inode).generation == request.chunk().generation();
  if (code == ErrorCode::kIoError && !still) return;
  world_.violations.Add("C10", fmt::format("chunk {} cannot be read: {}", id, reply.error()));
}

void ChunkClient::Sync(ChunkId id) {
  v1::SyncChunksRequest request;
  const Time begun = world_.now();
  request.add_chunks();
  request.add_oldest_write_epochs(0);
  const auto prepare = [&]() -> v1::ChunkAddress& {
    const auto own = unsynced_.find(id);
    const uint64_t now = RowOf(truth_.GroupOf(id)).epoch();
    request.set_oldest_write_epochs(0, own == unsynced_.end() ? now : own->second.oldest.value);
    return *request.mutable_chunks(0) = truth_.AddressOf(id);
  };
  const Result<RawReply> reply = Ask(v1::CHUNK_SYNC, request, {}, prepare);
  if (IsServedInVain(reply, id)) return;
  NoteSynced(id, begun, reply.has_value() ? OkStatus() : reply.error());
}

void ChunkClient::NoteSynced(ChunkId id, Time begun, const Status& status) {
  if (!status.ok() && status.code() != ErrorCode::kIoError) return;
  const std::vector<AcknowledgedWrite> writes = std::move(unsynced_[id].writes);
  unsynced_.erase(id);
  if (status.ok()) return truth_.Synced(id, begun, writes);
  world_.trace.Line([&] { return fmt::format("client {} is told: {}", session_, status); });
  if (!writes.empty() && truth_.WasLostSince(id, writes.front().from)) return;
  world_.violations.Add("C3", fmt::format("chunk {} lost nothing: {}", id, status));
}

void ChunkClient::ReadEverything(std::function<void()> then) {
  done_ = false;
  if (!has_session()) BeginAnew();
  world_.fibers.Start(domain_, [this, then = std::move(then)] {
    for (const InodeId inode : truth_.Live()) {
      for (uint32_t index = 0; index < static_cast<uint32_t>(world_.plan.chunks); ++index) {
        Read({inode, index}, 0, 6);
        Read({inode, index}, 62, 5);
      }
    }
    done_ = true;
    then();
  });
}

}  // namespace cairn::simulation::chunks
