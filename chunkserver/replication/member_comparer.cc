#include "chunkserver/replication/member_comparer.h"

#include <algorithm>

#include "chunkserver/replication/wire.h"
#include "common/logging.h"

namespace cairn {
namespace {

// A member that does not answer must be given up well before the epoch without it comes
// (timing::kMemberRemoved), and chunks are held meanwhile.
constexpr Duration kCallWait = std::chrono::seconds(2);
constexpr Duration kSyncWait = std::chrono::seconds(60);
constexpr Duration kHearWait = std::chrono::milliseconds(500);
constexpr Duration kCompareWait = std::chrono::seconds(1);
constexpr uint32_t kPage = 1000;
constexpr uint32_t kBlocksPerTransfer = kMaxTransferBytes / kBlockSize;
// While clients are about: neither their requests nor a write to the chunk wait for more.
constexpr uint32_t kBlocksPerPacedTransfer = kBlocksPerTransfer / 4;

uint64_t BytesOf(const ChunkInfo& info) {
  return uint64_t{info.present_blocks} * kBlockSize;
}

bool Equal(const ChunkInfo& ours, const v1::ChunkSummary& theirs) {
  const ChunkInfo other = InfoOf(theirs);
  return !theirs.suspect() && ours.version == other.version &&
         ours.generation == other.generation && ours.digest == other.digest &&
         ours.last_session == other.last_session && ours.last_sequence == other.last_sequence;
}

// Of one version and stamp both must hold the same bytes.
bool DiffersInBlocksOnly(const ChunkInfo& ours, const v1::ChunkSummary& theirs) {
  const ChunkInfo other = InfoOf(theirs);
  return !theirs.suspect() && ours.version == other.version &&
         ours.generation == other.generation && ours.digest != other.digest;
}

// What makes a chunk of a member equal: blocks to be copied, and blocks that are not to be there.
struct BlockDifference {
  std::vector<bool> copy;
  std::vector<bool> absent;
};

BlockDifference Difference(const ChunkBlocks& own, const v1::ListBlocksResponse& theirs) {
  const auto their_count = static_cast<size_t>(theirs.crcs_size());
  const std::vector<bool> present = UnpackBits(theirs.present(), their_count);
  const std::vector<bool> suspect = UnpackBits(theirs.suspect(), their_count);
  const size_t total = std::max(own.crcs.size(), their_count);
  BlockDifference difference{std::vector<bool>(total), std::vector<bool>(total)};
  for (size_t block = 0; block < total; ++block) {
    const bool here = block < own.crcs.size() && own.present[block];
    const bool there = block < their_count && present[block];
    const bool same =
        here && there && !suspect[block] && theirs.crcs(static_cast<int>(block)) == own.crcs[block];
    difference.copy[block] = here && !same;
    difference.absent[block] = !here && there;
  }
  return difference;
}

// Runs of marked blocks, none longer than `longest`.
std::vector<BlockRange> PiecesOf(const std::vector<bool>& marked, uint32_t longest) {
  std::vector<BlockRange> pieces;
  for (uint32_t first = 0; first < marked.size();) {
    uint32_t end = first;
    while (end < marked.size() && marked[end] && end - first < longest) ++end;
    if (end > first) pieces.push_back({first, end});
    first = std::max(first + 1, end);
  }
  return pieces;
}

}  // namespace

template <typename Request>
Request MemberComparer::ForGroup() const {
  Request request;
  request.set_group(group_->id.value);
  request.set_epoch(group_->epoch.value);
  return request;
}

template <typename Response, typename Request>
Result<Response> MemberComparer::Ask(v1::Method method, const Request& request, Duration wait) {
  Result<Response> response =
      context_.peers.Call<Response>(member_, method, request, Deadline::After(wait));
  member_answer_ = internal::StatusOf(response);
  return response;
}

Result<Incarnation> MemberComparer::Begin() {
  ASSIGN_OR_RETURN(const auto response,
                   Ask<v1::BeginCatchUpResponse>(v1::CHUNK_BEGIN_CATCH_UP,
                                                 ForGroup<v1::BeginCatchUpRequest>(), kCallWait));
  return Incarnation(response.incarnation());
}

Status MemberComparer::MakeHear() {
  auto request = ForGroup<v1::BeginCatchUpRequest>();
  request.set_only_hear(true);
  return internal::StatusOf(
      Ask<v1::BeginCatchUpResponse>(v1::CHUNK_BEGIN_CATCH_UP, request, kHearWait));
}

Status MemberComparer::Finish(Incarnation incarnation) {
  auto request = ForGroup<v1::BeginCatchUpRequest>();
  request.set_finish(true);
  ASSIGN_OR_RETURN(const auto response,
                   Ask<v1::BeginCatchUpResponse>(v1::CHUNK_BEGIN_CATCH_UP, request, kSyncWait));
  if (response.incarnation() == incarnation.value) return OkStatus();
  return Status::Error(ErrorCode::kStaleEpoch, "server {} was restarted during its catch-up",
                       member_);
}

Status MemberComparer::ListMember(Scope scope) {
  Summaries summaries;
  auto request = ForGroup<v1::ListChunksRequest>();
  request.set_limit(kPage);
  request.set_unsealed_only(scope == Scope::kUnsealed);
  while (true) {
    ASSIGN_OR_RETURN(const auto page,
                     Ask<v1::ListChunksResponse>(v1::CHUNK_LIST_CHUNKS, request, kCallWait));
    for (const v1::ChunkSummary& summary : page.chunks()) {
      summaries[{InodeId(summary.inode()), summary.index()}] = summary;
    }
    if (page.end() || page.chunks().empty()) break;
    request.set_after_inode(page.chunks().rbegin()->inode());
    request.set_after_index(page.chunks().rbegin()->index());
  }
  theirs_ = std::move(summaries);
  return OkStatus();
}

Status MemberComparer::ForEachHere(Scope scope,
                                   const std::function<Status(const ChunkInfo&)>& visit) {
  std::optional<ChunkId> after;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<ChunkInfo> page,
                     scope == Scope::kAll ? context_.store.List(group_->id, after, kPage)
                                          : context_.store.ListUnsealed(group_->id, after, kPage));
    for (const ChunkInfo& info : page) RETURN_IF_ERROR(visit(info));
    if (page.size() < kPage) return OkStatus();
    after = page.back().id;
  }
}

Result<bool> MemberComparer::SumsAreEqual() {
  auto request = ForGroup<v1::ListChunksRequest>();
  request.set_limit(1);
  request.set_unsealed_only(true);
  ASSIGN_OR_RETURN(const auto page,
                   Ask<v1::ListChunksResponse>(v1::CHUNK_LIST_CHUNKS, request, kCallWait));
  return page.sum() == context_.store.Usage(group_->id).sum;
}

Status MemberComparer::FetchMissing(Scope scope) {
  RETURN_IF_ERROR(ListMember(scope));
  for (const auto& [id, summary] : *theirs_) RETURN_IF_ERROR(FetchOne(id));
  return OkStatus();
}

Status MemberComparer::FetchOne(ChunkId id) {
  const HeldChunk held(context_.gates.Get(id), Deadline::After(kCompareWait));
  if (!held.ok()) return Status::Error(ErrorCode::kBusy, "chunk {} is being written", id);
  RETURN_IF_ERROR(context_.table.Stand(group_->id, group_->epoch));
  ASSIGN_OR_RETURN(const std::optional<ChunkInfo> info, context_.store.Info(id));
  if (info.has_value()) return OkStatus();
  const Status copied = repair_.CopyMissing(*group_, id, member_);
  const bool only_this_chunk =
      copied.code() == ErrorCode::kCorruption || copied.code() == ErrorCode::kNoSpace;
  if (!only_this_chunk) return copied;
  LOG_ERROR("chunk cannot be copied from the member that has it chunk={} server={} reason={}", id,
            member_, copied);
  return OkStatus();
}

// First what the member lists and this server would not come across: what it has not got, and what
// is sealed here and not there.
Status MemberComparer::Compare(Scope scope) {
  if (!theirs_.has_value()) RETURN_IF_ERROR(ListMember(scope));
  if (attachment_ != nullptr) RETURN_IF_ERROR(CountDifferences());
  for (const auto& [id, summary] : *theirs_) {
    ASSIGN_OR_RETURN(const std::optional<ChunkInfo> info, context_.store.Info(id));
    const bool comes_across = info.has_value() && (scope == Scope::kAll || !info->sealed);
    if (comes_across || (info.has_value() && IsKnownEqual(*info))) continue;
    RETURN_IF_ERROR(CompareNow(id));
  }
  return ForEachHere(scope, [this](const ChunkInfo& info) { return CompareListed(info); });
}

Result<uint64_t> MemberComparer::MendDigests() {
  only_mend_ = true;
  RETURN_IF_ERROR(ListMember(Scope::kAll));
  uint64_t mended = 0;
  RETURN_IF_ERROR(ForEachHere(Scope::kAll, [&](const ChunkInfo& info) -> Status {
    const auto found = theirs_->find(info.id);
    if (found == theirs_->end() || !DiffersInBlocksOnly(info, found->second)) return OkStatus();
    ASSIGN_OR_RETURN(const bool differed, MendDigest(info.id));
    mended += differed ? 1 : 0;
    return OkStatus();
  }));
  return mended;
}

// The lists are of two moments; what the two hold is compared again while the chunk stands still.
Result<bool> MemberComparer::MendDigest(ChunkId id) {
  const HeldChunk held(context_.gates.Get(id), Deadline::After(kCompareWait));
  if (!held.ok()) return Fail(ErrorCode::kBusy, "chunk {} is being written", id);
  RETURN_IF_ERROR(context_.table.Stand(group_->id, group_->epoch));
  ASSIGN_OR_RETURN(const std::optional<ChunkBlocks> own, context_.store.Blocks(id));
  if (!own.has_value()) return false;
  ASSIGN_OR_RETURN(const auto theirs, ListBlocksThere(id));
  if (theirs.absent() || !DiffersInBlocksOnly(own->info, theirs.summary())) return false;
  LOG_ERROR("a member has other blocks of the same version, made equal chunk={} pg={} server={}",
            id, group_->id, member_);
  RETURN_IF_ERROR(CopyDifferences(*own, theirs));
  return true;
}

bool MemberComparer::IsKnownEqual(const ChunkInfo& info) const {
  const auto found = theirs_->find(info.id);
  return found != theirs_->end() && Equal(info, found->second);
}

Status MemberComparer::CountDifferences() {
  board_.emplace(context_.copies, CopyBoard::Key{group_->id, member_});
  CopyCount count;
  RETURN_IF_ERROR(ForEachHere(Scope::kAll, [&](const ChunkInfo& info) {
    if (!IsKnownEqual(info)) count.total_bytes += BytesOf(info);
    return OkStatus();
  }));
  board_->Add(count);
  return OkStatus();
}

Status MemberComparer::AwaitPace(uint64_t bytes) {
  const Duration wait =
      context_.pace.Take(bytes, context_.table.settings().copy_bytes_per_second());
  if (wait == Duration::zero() || context_.background.Pause(wait)) return OkStatus();
  return Status::Error(ErrorCode::kCancelled, "this server stops");
}

Status MemberComparer::CompareListed(const ChunkInfo& info) {
  if (IsKnownEqual(info)) {
    const HeldChunk held(context_.gates.Get(info.id), Deadline::After(kCompareWait));
    if (!held.ok()) return Status::Error(ErrorCode::kBusy, "chunk {} is being written", info.id);
    // The member's row is from before; until it is marked it gets no write, so it still holds.
    ASSIGN_OR_RETURN(const std::optional<ChunkInfo> now, context_.store.Info(info.id));
    if (now.has_value() && IsKnownEqual(*now)) {
      MarkCompared(info.id);
      return OkStatus();
    }
  }
  uint64_t ahead = 0;
  if (board_.has_value() && context_.pace.ClientsAreHere()) {
    ASSIGN_OR_RETURN(ahead, CopyAhead(info));
  }
  // Before the chunk is held: a write to it must not wait for the throttle.
  const uint64_t left = BytesOf(info) - std::min(ahead, BytesOf(info));
  if (board_.has_value() && left > 0) RETURN_IF_ERROR(AwaitPace(left));
  RETURN_IF_ERROR(CompareNow(info.id));
  if (board_.has_value()) board_->Add({0, left});
  return OkStatus();
}

// The chunk is held for one piece at a time. What is written meanwhile is found by the comparison
// that follows.
Result<uint64_t> MemberComparer::CopyAhead(const ChunkInfo& info) {
  uint64_t copied = 0;
  ASSIGN_OR_RETURN(const std::optional<ChunkBlocks> own, context_.store.Blocks(info.id));
  if (!own.has_value()) return copied;
  ASSIGN_OR_RETURN(const auto theirs, ListBlocksThere(info.id));
  const std::vector<bool> copy = Difference(*own, theirs).copy;
  for (const BlockRange piece : PiecesOf(copy, kBlocksPerPacedTransfer)) {
    const uint64_t bytes = uint64_t{piece.count()} * kBlockSize;
    RETURN_IF_ERROR(AwaitPace(bytes));
    ASSIGN_OR_RETURN(const bool goes_on, CopyPieceAhead(*own, piece));
    if (!goes_on) break;
    copied += bytes;
    board_->Add({0, bytes});
  }
  return copied;
}

// False: the chunk is not what it was when the piece was planned, or a block of it is bad.
Result<bool> MemberComparer::CopyPieceAhead(const ChunkBlocks& planned, BlockRange piece) {
  const ChunkId id = planned.info.id;
  const HeldChunk held(context_.gates.Get(id), Deadline::After(kCompareWait));
  if (!held.ok()) return false;
  RETURN_IF_ERROR(context_.table.Stand(group_->id, group_->epoch));
  ASSIGN_OR_RETURN(const std::optional<ChunkInfo> now, context_.store.Info(id));
  const bool same = now.has_value() && now->version == planned.info.version &&
                    now->generation == planned.info.generation;
  if (!same) return false;
  const Status copied = CopyRun(planned, piece.first, piece.count(), {});
  if (copied.code() == ErrorCode::kCorruption) return false;
  RETURN_IF_ERROR(copied);
  return true;
}

Status MemberComparer::CompareNow(ChunkId id) {
  for (bool mended = false;; mended = true) {
    Status status;
    {
      const HeldChunk held(context_.gates.Get(id), Deadline::After(kCompareWait));
      if (!held.ok()) return Status::Error(ErrorCode::kBusy, "chunk {} is being written", id);
      status = CompareHeld(id);
    }
    // A block that is damaged here must not be passed on as a hole, nor the member's older one be
    // taken for it: without a good copy the catch-up fails, and is tried again later.
    if (status.code() != ErrorCode::kCorruption || mended) return status;
    RETURN_IF_ERROR(
        repair_.RepairRange(group_->id, group_->epoch, id, {0, kMaxChunkSize / kBlockSize}));
  }
}

void MemberComparer::MarkCompared(ChunkId id) {
  if (attachment_ != nullptr) attachment_->MarkCompared(id);
}

Status MemberComparer::RemoveThere(ChunkId id) {
  if (group_->IsActive(member_)) return OkStatus();
  auto request = ForGroup<v1::InstallBlocksRequest>();
  request.mutable_summary()->set_inode(id.inode.value);
  request.mutable_summary()->set_index(id.index);
  request.set_remove(true);
  return internal::StatusOf(
      Ask<v1::InstallBlocksResponse>(v1::CHUNK_INSTALL_BLOCKS, request, kCallWait));
}

Status MemberComparer::CompareHeld(ChunkId id) {
  RETURN_IF_ERROR(context_.table.Stand(group_->id, group_->epoch));
  ASSIGN_OR_RETURN(const std::optional<ChunkBlocks> own, context_.store.Blocks(id));
  if (!own.has_value()) {
    RETURN_IF_ERROR(RemoveThere(id));
  } else {
    ASSIGN_OR_RETURN(const auto theirs, ListBlocksThere(id));
    RETURN_IF_ERROR(CopyDifferences(*own, theirs));
  }
  MarkCompared(id);
  return OkStatus();
}

Result<v1::ListBlocksResponse> MemberComparer::ListBlocksThere(ChunkId id) {
  auto request = ForGroup<v1::ListBlocksRequest>();
  request.set_inode(id.inode.value);
  request.set_index(id.index);
  return Ask<v1::ListBlocksResponse>(v1::CHUNK_LIST_BLOCKS, request, kCallWait);
}

Status MemberComparer::CopyDifferences(const ChunkBlocks& own,
                                       const v1::ListBlocksResponse& theirs) {
  const BlockDifference difference = Difference(own, theirs);
  // Blocks to be emptied travel with the first install; there is always one, for version and stamp.
  std::string absent_blocks = PackBits(difference.absent);
  const std::vector<BlockRange> pieces = PiecesOf(difference.copy, kBlocksPerTransfer);
  for (const BlockRange piece : pieces) {
    RETURN_IF_ERROR(CopyRun(own, piece.first, piece.count(), absent_blocks));
    absent_blocks.clear();
  }
  return pieces.empty() ? CopyRun(own, 0, 0, absent_blocks) : OkStatus();
}

Status MemberComparer::CopyRun(const ChunkBlocks& own, uint32_t first, uint32_t count,
                               const std::string& absent_blocks) {
  auto request = ForGroup<v1::InstallBlocksRequest>();
  *request.mutable_summary() = SummaryOf(own.info);
  request.set_chunk_size(own.info.chunk_size);
  request.set_first_block(first);
  request.set_absent_blocks(absent_blocks);
  request.set_only_mend(only_mend_);
  Payload data;
  if (count > 0) {
    Result<ChunkRead> read = context_.store.FetchBlocks(own.info.id, first, count);
    context_.HeardStore(internal::StatusOf(read));
    if (!read.has_value()) return std::move(read.error());
    request.mutable_crcs()->Add(read->crcs.begin(), read->crcs.end());
    data = std::move(read->data);
  }
  copied_bytes_ += data.size();
  member_answer_ = internal::StatusOf(context_.peers.CallRaw(
      member_, v1::CHUNK_INSTALL_BLOCKS, request, std::move(data), Deadline::After(kCallWait)));
  return member_answer_;
}

}  // namespace cairn
