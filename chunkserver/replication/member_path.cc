#include "chunkserver/replication/member_path.h"

#include <algorithm>
#include <map>

#include "chunkserver/replication/removal_path.h"
#include "chunkserver/replication/seeded_bug.h"
#include "chunkserver/replication/wire.h"
#include "common/crc32c.h"

namespace cairn {
namespace {

constexpr int kMendTries = 2;
constexpr size_t kListLimit = 10000;

ChunkWrite WriteOf(const ReplicateCall& call, const std::vector<uint32_t>& crcs) {
  const v1::WriteChunkRequest& request = call.request().write();
  ChunkWrite write;
  write.id = IdOf(request.chunk());
  write.group = PgId(request.chunk().group());
  write.file = FileOf(request.chunk());
  write.version = {Epoch(call.request().version_epoch()), call.request().version_counter()};
  write.offset = request.offset();
  write.data = call.payload().bytes();
  write.crcs = crcs;
  write.session = SessionId(request.chunk().session());
  write.sequence = request.sequence();
  write.ordered = true;
  return write;
}

// Where the chunk ends, as an offset in it, after the cuts of `trim` that the writer did not know.
uint64_t EndAfter(const FileState& trim, const ChunkWrite& write) {
  const uint64_t start = uint64_t{write.id.index} * trim.chunk_size;
  uint64_t end = trim.chunk_size;
  for (const FileCut& cut : trim.cuts) {
    if (cut.generation <= write.file.generation) continue;
    end = std::min(end, cut.length > start ? cut.length - start : 0);
  }
  return end;
}

// The CRCs of the first `length` bytes of a write whose CRCs were checked.
std::vector<uint32_t> CrcsOfStart(const ChunkWrite& write, size_t length) {
  const BlockRange blocks = BlocksOf(write.offset, length);
  std::vector<uint32_t> crcs(write.crcs.begin(), write.crcs.begin() + (blocks.end - blocks.first));
  const uint64_t last_block = uint64_t{blocks.end - 1} * kBlockSize;
  const size_t last = last_block > write.offset ? last_block - write.offset : 0;
  crcs.back() = Crc32c(write.data.subspan(last, length - last));
  return crcs;
}

}  // namespace

Result<Standing> MemberPath::CheckPrimary(PgId group, Epoch epoch, const PeerIdentity& peer) const {
  ASSIGN_OR_RETURN(Standing standing, context_.table.Stand(group, epoch));
  const std::optional<ServerId> primary = standing.group->primary();
  if (!primary.has_value() || primary->value != peer.hello.server()) {
    return Fail(ErrorCode::kNotPrimary, "server {} is not the primary of group {} at epoch {}",
                peer.hello.server(), group, epoch);
  }
  if (standing.role == OwnRole::kNone) {
    return Fail(ErrorCode::kStaleEpoch, "this server, as it runs now, is no member of group {}",
                group);
  }
  return standing;
}

Status MemberPath::CheckMember(PgId group, Epoch epoch, const PeerIdentity& peer) const {
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group, epoch));
  if (standing.group->IsMember(ServerId(peer.hello.server())) &&
      standing.group->IsMember(context_.table.self())) {
    return OkStatus();
  }
  return Status::Error(ErrorCode::kNotPrimary, "server {} is not a member of group {}",
                       peer.hello.server(), group);
}

bool MemberPath::InCatchUp(const Group& group) const {
  absl::MutexLock lock(&mu_);
  const auto found = in_catch_up_.find(group.id);
  return found != in_catch_up_.end() && found->second == group.epoch;
}

void MemberPath::Replicate(const ReplicateCall& call) {
  const ChunkGatePtr gate = context_.gates.Get(IdOf(call.request().write().chunk()));
  gate->Order([this, call, gate] { ReplicateTurn(call, gate, 0); });
}

Result<ChunkVersion> MemberPath::VersionHere(ChunkGate& gate, ChunkId id) {
  if (!gate.known_version.has_value()) {
    ASSIGN_OR_RETURN(const std::optional<ChunkInfo> info, context_.store.Info(id));
    gate.known_version = info.has_value() ? info->version : ChunkVersion{};
  }
  return *gate.known_version;
}

void MemberPath::ReplicateTurn(const ReplicateCall& call, const ChunkGatePtr& gate, int tries) {
  const v1::ChunkAddress& chunk = call.request().write().chunk();
  const PgId group(chunk.group());
  const Epoch epoch(chunk.epoch());
  const EpochBarrier::Pass pass(context_.barrier, group, epoch);
  const Result<Standing> standing = CheckPrimary(group, epoch, call.peer());
  if (!standing.has_value()) return call.Fail(standing.error());
  if (standing->role == OwnRole::kSyncing && !InCatchUp(*standing->group)) {
    return call.Fail(
        Status::Error(ErrorCode::kStaleEpoch, "group {} is not in catch-up here", group));
  }
  const std::vector<uint32_t> crcs = ToVector(call.request().write().crcs());
  const ChunkWrite write = WriteOf(call, crcs);
  if (call.request().has_trim()) {
    const FileState trim = FileOf(call.request().trim());
    if (!gate->KnowsTrim(trim.generation)) {
      const Status made = RemoveHere(context_, *gate, write.id, group, trim, false);
      context_.HeardStore(made);
      if (!made.ok()) return call.Fail(made);
    }
  }
  const Result<ChunkVersion> here = VersionHere(*gate, write.id);
  if (!here.has_value()) return call.Fail(here.error());
  const ChunkVersion after{Epoch(call.request().after_epoch()), call.request().after_counter()};
  if (after > *here && !ReplicationBugIs(ReplicationBug::kGapApplied)) {
    return call.Fail(Status::Error(ErrorCode::kBusy,
                                   "a write to chunk {} before this one is missing", write.id));
  }
  const bool trimmed = gate->WasTrimmedSince(write.file.generation);
  if (write.version > *here) {
    const Status status = trimmed ? WriteTrimmed(write, *gate->trim) : context_.store.Write(write);
    context_.HeardStore(status);
    if (!status.ok()) return MendAndRetry(call, gate, tries, status);
    gate->known_version = write.version;
    // Should this server become the primary, all that it has by then is finished.
    gate->RememberFinished({write.session, write.sequence});
  }
  v1::ReplicateResponse response;
  response.set_available_bytes(context_.space.available_bytes());
  response.set_near_full(context_.space.near_full());
  if (trimmed) *response.mutable_trim() = AddressOf(*gate->trim);
  call.Reply(response);
}

Status MemberPath::WriteTrimmed(ChunkWrite write, const FileState& trim) {
  if (!CrcsMatch(write.offset, write.data, write.crcs)) {
    return Status::Error(ErrorCode::kCorruption, "bytes for chunk {} do not match their CRC",
                         write.id);
  }
  const uint64_t end = EndAfter(trim, write);
  write.file = trim;
  if (end <= write.offset) return TakeVersion(write);
  const size_t length = std::min<uint64_t>(write.data.size(), end - write.offset);
  const std::vector<uint32_t> crcs = CrcsOfStart(write, length);
  write.data = write.data.first(length);
  write.crcs = crcs;
  return context_.store.Write(write);
}

Status MemberPath::TakeVersion(const ChunkWrite& write) {
  ASSIGN_OR_RETURN(const std::optional<ChunkInfo> here, context_.store.Info(write.id));
  if (!here.has_value()) return OkStatus();
  BlockInstall install;
  install.info = *here;
  install.info.version = write.version;
  install.info.generation = std::max(here->generation, write.file.generation);
  install.info.last_session = write.session;
  install.info.last_sequence = write.sequence;
  install.group = write.group;
  install.chunk_size = here->chunk_size;
  return context_.store.InstallBlocks(install);
}

void MemberPath::MendAndRetry(const ReplicateCall& call, const ChunkGatePtr& gate, int tries,
                              const Status& status) {
  const v1::WriteChunkRequest& request = call.request().write();
  gate->known_version.reset();
  const bool own_block_is_bad =
      status.code() == ErrorCode::kCorruption &&
      CrcsMatch(request.offset(), call.payload().bytes(), ToVector(request.crcs()));
  if (!own_block_is_bad || tries >= kMendTries) return call.Fail(status);
  context_.urgent.Submit([this, call, gate, tries] {
    const v1::WriteChunkRequest& write = call.request().write();
    const Status mended =
        repair_.RepairRange(PgId(write.chunk().group()), Epoch(write.chunk().epoch()),
                            IdOf(write.chunk()), BlocksOf(write.offset(), call.payload().size()));
    if (!mended.ok()) return call.Fail(mended);
    gate->Order([this, call, gate, tries] { ReplicateTurn(call, gate, tries + 1); });
  });
}

void MemberPath::ListChunks(const ListChunksCall& call) {
  context_.disk.Submit(call.deadline(), [this, call] {
    const v1::ListChunksRequest& request = call.request();
    const PgId group(request.group());
    const Status allowed = CheckMember(group, Epoch(request.epoch()), call.peer());
    if (!allowed.ok()) return call.Fail(allowed);
    std::optional<ChunkId> after;
    if (request.after_inode() != 0) {
      after = ChunkId{InodeId(request.after_inode()), request.after_index()};
    }
    const size_t limit = std::min<size_t>(std::max<uint32_t>(request.limit(), 1), kListLimit);
    const Result<std::vector<ChunkInfo>> infos =
        request.unsealed_only() ? context_.store.ListUnsealed(group, after, limit)
                                : context_.store.List(group, after, limit);
    if (!infos.has_value()) return call.Fail(infos.error());
    const std::vector<ChunkId> suspects = context_.store.Suspects(group);
    v1::ListChunksResponse response;
    for (const ChunkInfo& info : *infos) {
      v1::ChunkSummary& summary = *response.add_chunks();
      summary = SummaryOf(info);
      summary.set_suspect(std::find(suspects.begin(), suspects.end(), info.id) != suspects.end());
    }
    response.set_end(infos->size() < limit);
    response.set_sum(context_.store.Usage(group).sum);
    call.Reply(response);
  });
}

void MemberPath::ListBlocks(const ListBlocksCall& call) {
  context_.disk.Submit(call.deadline(), [this, call] {
    const v1::ListBlocksRequest& request = call.request();
    const Status allowed = CheckMember(PgId(request.group()), Epoch(request.epoch()), call.peer());
    if (!allowed.ok()) return call.Fail(allowed);
    const Result<std::optional<ChunkBlocks>> blocks =
        context_.store.Blocks({InodeId(request.inode()), request.index()});
    if (!blocks.has_value()) return call.Fail(blocks.error());
    v1::ListBlocksResponse response;
    response.set_absent(!blocks->has_value());
    if (blocks->has_value()) {
      const ChunkBlocks& found = **blocks;
      *response.mutable_summary() = SummaryOf(found.info);
      response.mutable_crcs()->Add(found.crcs.begin(), found.crcs.end());
      response.set_present(PackBits(found.present));
      response.set_suspect(PackBits(found.suspect));
    }
    call.Reply(response);
  });
}

void MemberPath::FetchBlocks(const FetchBlocksCall& call) {
  context_.disk.Submit(call.deadline(), [this, call] {
    const v1::FetchBlocksRequest& request = call.request();
    const Status allowed = CheckMember(PgId(request.group()), Epoch(request.epoch()), call.peer());
    if (!allowed.ok()) return call.Fail(allowed);
    Result<ChunkRead> read = context_.store.FetchBlocks(
        {InodeId(request.inode()), request.index()}, request.first_block(), request.block_count());
    if (!read.has_value()) return call.Fail(read.error());
    v1::FetchBlocksResponse response;
    response.mutable_crcs()->Add(read->crcs.begin(), read->crcs.end());
    call.Reply(response, std::move(read->data));
  });
}

void MemberPath::InstallBlocks(const InstallBlocksCall& call) {
  context_.installs.Submit(call.deadline(), [this, call] {
    const Status installed = Install(call);
    context_.HeardStore(installed);
    installed.ok() ? call.Reply({}) : call.Fail(installed);
  });
}

Status MemberPath::Install(const InstallBlocksCall& call) {
  const v1::InstallBlocksRequest& request = call.request();
  BlockInstall install;
  install.info = InfoOf(request.summary());
  install.group = PgId(request.group());
  const HeldChunk held(context_.gates.Get(install.info.id), Deadline::After(kHoldWait));
  if (!held.ok()) {
    return Status::Error(ErrorCode::kBusy, "chunk {} is being written", install.info.id);
  }
  const EpochBarrier::Pass pass(context_.barrier, install.group, Epoch(request.epoch()));
  ASSIGN_OR_RETURN(const Standing standing,
                   CheckPrimary(install.group, Epoch(request.epoch()), call.peer()));
  if (standing.role == OwnRole::kPrimary ||
      (standing.role == OwnRole::kSyncing && !InCatchUp(*standing.group))) {
    return Status::Error(ErrorCode::kStaleEpoch, "group {} is not in catch-up here", install.group);
  }
  if (request.only_mend()) RETURN_IF_ERROR(CheckUnchanged(install.info));
  ChunkGate& gate = *context_.gates.Get(install.info.id);
  gate.known_version.reset();
  gate.asked_store = false;
  gate.ForgetFinished();
  if (request.remove()) return context_.store.Drop(install.info.id);
  install.chunk_size = request.chunk_size();
  install.ordered = standing.role != OwnRole::kSyncing;
  install.first_block = request.first_block();
  install.data = call.payload().bytes();
  const std::vector<uint32_t> crcs = ToVector(request.crcs());
  install.crcs = crcs;
  const std::vector<bool> absent = UnpackBits(request.absent_blocks(), kMaxChunkSize / kBlockSize);
  for (uint32_t block = 0; block < absent.size(); ++block) {
    if (absent[block]) install.absent_blocks.push_back(block);
  }
  return context_.store.InstallBlocks(install);
}

// A removal or a trim that came here first must not be undone (rule C9).
Status MemberPath::CheckUnchanged(const ChunkInfo& expected) {
  ASSIGN_OR_RETURN(const std::optional<ChunkInfo> here, context_.store.Info(expected.id));
  if (here.has_value() && here->version == expected.version &&
      here->generation == expected.generation) {
    return OkStatus();
  }
  return Status::Error(ErrorCode::kBusy, "chunk {} has changed here", expected.id);
}

void MemberPath::BeginCatchUp(const BeginCatchUpCall& call) {
  context_.installs.Submit(call.deadline(), [this, call] {
    const v1::BeginCatchUpRequest& request = call.request();
    const PgId group(request.group());
    const Epoch epoch(request.epoch());
    if (request.only_hear()) return Hear(call);
    const Result<Standing> standing = CheckPrimary(group, epoch, call.peer());
    if (!standing.has_value()) return call.Fail(standing.error());
    if (request.finish()) {
      if (!InCatchUp(*standing->group)) {
        return call.Fail(
            Status::Error(ErrorCode::kStaleEpoch, "group {} is not in catch-up here", group));
      }
      const Status synced = context_.store.SyncAll();
      context_.HeardStore(synced);
      if (!synced.ok()) return call.Fail(synced);
    } else {
      if (!context_.barrier.WaitForOlder(group, epoch, Deadline::After(EpochBarrier::kPatience))) {
        return call.Fail(Status::Error(
            ErrorCode::kBusy, "writes of an older epoch of group {} are under way", group));
      }
      absl::MutexLock lock(&mu_);
      in_catch_up_[group] = epoch;
    }
    v1::BeginCatchUpResponse response;
    response.set_incarnation(context_.table.incarnation().value);
    call.Reply(response);
  });
}

// Whoever knows the epoch refuses what is asked under an older one; what was admitted has ended.
void MemberPath::Hear(const BeginCatchUpCall& call) {
  const PgId group(call.request().group());
  const Epoch epoch(call.request().epoch());
  const Status known = internal::StatusOf(context_.table.Stand(group, epoch));
  if (!known.ok()) return call.Fail(known);
  if (!context_.barrier.WaitForOlder(group, epoch, Deadline::After(EpochBarrier::kPatience))) {
    return call.Fail(Status::Error(ErrorCode::kBusy, "writes of an older epoch are under way"));
  }
  v1::BeginCatchUpResponse response;
  response.set_incarnation(context_.table.incarnation().value);
  call.Reply(response);
}

}  // namespace cairn
