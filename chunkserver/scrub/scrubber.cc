#include "chunkserver/scrub/scrubber.h"

#include <algorithm>

#include "chunkserver/replication/member_comparer.h"
#include "common/logging.h"

namespace cairn {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(500);  // for orders and for what is due
constexpr Duration kAgain = std::chrono::seconds(5);
constexpr Duration kKeepMark = std::chrono::seconds(10);

}  // namespace

Scrubber::Scrubber(ReplicaContext& context, BlockRepair& repair)
    : context_(context), repair_(repair), walk_(context.store, context.table) {}

Scrubber::~Scrubber() {
  Stop();
}

void Scrubber::Start() {
  worker_.Submit([this] { Run(); });
}

void Scrubber::Stop() {
  worker_.Stop();
}

v1::ScrubProgress Scrubber::Progress() const {
  absl::MutexLock lock(&mu_);
  return progress_;
}

// What would be too dear at every step.
void Scrubber::Look() {
  looked_at_ = context_.clock.Now();
  walk_.Refresh();
  const int64_t now = context_.clock.WallNow().seconds;
  const uint64_t total = walk_.total_bytes();
  const uint64_t done = walk_.done_bytes();
  absl::MutexLock lock(&mu_);
  progress_.set_order(mark_.order);
  progress_.set_running(mark_.ordered);
  progress_.set_total_bytes(total);
  progress_.set_done_bytes(mark_.under_way ? done : total);
  const int64_t age = mark_.whole_s == 0 ? 0 : std::max<int64_t>(now - mark_.whole_s, 1);
  progress_.set_seconds_since_whole(static_cast<uint64_t>(age));
}

void Scrubber::Run() {
  if (context_.clock.Now() - looked_at_ > kLook / 2) Look();
  const Duration rest = Step();
  worker_.RunAfter(rest, [this] { Run(); });
}

std::chrono::seconds Scrubber::Period() const {
  const uint64_t set = context_.table.settings().scrub_seconds();
  return set == 0 ? kDefaultPeriod : std::chrono::seconds(set);
}

// A pass is spread over the period by bytes: a piece is due at the end of its share of the time.
// One that is late goes as fast as the throttle allows.
Duration Scrubber::UntilDue() const {
  const Duration rest = rest_until_ - context_.clock.Now();
  if (mark_.ordered) return rest;
  const auto total = static_cast<double>(std::max<uint64_t>(walk_.total_bytes(), 1));
  const auto after_next = static_cast<double>(walk_.done_bytes() + kMaxTransferBytes);
  const double share = std::min(after_next / total, 1.0);
  const double due = static_cast<double>(mark_.started_s) +
                     share * static_cast<double>(Period().count());
  const double left = due - static_cast<double>(context_.clock.WallNow().seconds);
  const std::chrono::duration<double> most = Period();  // a clock that was set back
  const auto wait = std::min(std::chrono::duration<double>(left), most);
  return std::max(rest, std::chrono::duration_cast<Duration>(wait));
}

Status Scrubber::LoadMark() {
  if (loaded_) return OkStatus();
  ASSIGN_OR_RETURN(mark_, context_.store.LoadScrubMark());
  walk_.Begin(mark_.group, mark_.after);
  loaded_ = true;
  return OkStatus();
}

Status Scrubber::KeepMark() {
  kept_at_ = context_.clock.Now();
  mark_.group = walk_.group();
  mark_.after = walk_.after();
  return context_.store.StoreScrubMark(mark_);
}

Status Scrubber::BeginPass(uint64_t order, bool ordered) {
  walk_.Begin(PgId(), ChunkId());
  mark_.order = order;
  mark_.ordered = ordered;
  mark_.under_way = true;
  mark_.started_s = context_.clock.WallNow().seconds;
  if (ordered) LOG_INFO("scrub begins order={} bytes={}", order, walk_.total_bytes());
  return KeepMark();
}

Status Scrubber::EndPass() {
  if (mark_.ordered) LOG_INFO("scrub ends order={}", mark_.order);
  mark_.under_way = false;
  mark_.ordered = false;
  mark_.whole_s = mark_.started_s;
  return KeepMark();
}

// An order that comes while one is under way begins anew: what was written meanwhile counts too.
bool Scrubber::TakeOrder() {
  const std::optional<ServerLocation> self = context_.table.Locate(context_.table.self());
  return self.has_value() && self->scrub_order > mark_.order;
}

Duration Scrubber::Step() {
  if (const Status lease = context_.table.CheckLease(); !lease.ok()) return kLook;
  Status status = LoadMark();
  if (status.ok() && TakeOrder()) {
    status = BeginPass(context_.table.Locate(context_.table.self())->scrub_order, true);
  }
  if (status.ok() && !mark_.under_way) {
    if (walk_.total_bytes() == 0) return kLook;
    status = BeginPass(mark_.order, false);
  }
  MendAgain();
  const Duration wait = UntilDue();
  if (status.ok() && wait > Duration::zero()) return std::min(wait, kLook);
  if (status.ok()) {
    const Result<ScrubStep> step = walk_.Next();
    status = step.has_value() ? Take(*step) : step.error();
  }
  context_.HeardStore(status);
  if (!status.ok() && last_.ok()) LOG_WARN("the scrub does not go on reason={}", status);
  last_ = status;
  return status.ok() ? Duration::zero() : kLook;
}

Status Scrubber::Take(const ScrubStep& step) {
  switch (step.kind) {
    case ScrubStep::Kind::kBlocks:
      RETURN_IF_ERROR(CheckPiece(step));
      break;
    case ScrubStep::Kind::kGroupDone:
      CompareMembers(step.group);
      break;
    case ScrubStep::Kind::kEnd:
      // What waits to be mended belongs to the pass.
      if (again_.empty()) return EndPass();
      rest_until_ = context_.clock.Now() + kLook;
      return OkStatus();
  }
  return context_.clock.Now() - kept_at_ < kKeepMark ? OkStatus() : KeepMark();
}

Status Scrubber::CheckPiece(const ScrubStep& step) {
  ASSIGN_OR_RETURN(const BlockCheck check,
                   context_.store.Check(step.chunk, step.first_block, step.count));
  const uint64_t bytes = uint64_t{check.present_blocks} * kBlockSize;
  const uint64_t throttle = context_.table.settings().copy_bytes_per_second();
  rest_until_ = context_.clock.Now() + context_.pace.Take(bytes, throttle);
  {
    absl::MutexLock lock(&mu_);
    progress_.set_found_blocks(progress_.found_blocks() + check.bad_blocks.size());
  }
  uint32_t good = step.first_block;
  for (const uint32_t block : check.bad_blocks) {
    NoteGood(step.chunk, good, block);
    Mend({step.group, step.chunk, block});
    good = block + 1;
  }
  NoteGood(step.chunk, good, step.first_block + step.count);
  return OkStatus();
}

// Somebody may have written over what was lost.
void Scrubber::NoteGood(ChunkId chunk, uint32_t first, uint32_t end) {
  if (first < end) context_.damage.RemoveBlocks(chunk, first, end);
}

void Scrubber::Mend(const BadBlock& bad) {
  const Standing standing = context_.table.Current(bad.group);
  if (standing.role != OwnRole::kPrimary && standing.role != OwnRole::kActive) return;
  const Status mended = repair_.RepairRange(bad.group, standing.group->epoch, bad.chunk,
                                            {bad.block, bad.block + 1});
  if (mended.ok()) {
    absl::MutexLock lock(&mu_);
    progress_.set_mended_blocks(progress_.mended_blocks() + 1);
  } else if (mended.code() != ErrorCode::kIoError) {
    if (again_.empty()) mend_again_at_ = context_.clock.Now() + kAgain;
    again_.push_back(bad);
  }
}

void Scrubber::MendAgain() {
  if (again_.empty() || context_.clock.Now() < mend_again_at_) return;
  std::deque<BadBlock> waiting;
  waiting.swap(again_);
  for (const BadBlock& bad : waiting) Mend(bad);
}

// The primary asks; a member that does not answer is compared in the next pass.
void Scrubber::CompareMembers(PgId id) {
  const Standing standing = context_.table.Current(id);
  if (standing.role != OwnRole::kPrimary || !context_.primaries.IsReady(id)) return;
  for (const ServerId member : standing.group->Active(context_.table.self())) {
    MemberComparer comparer(context_, repair_, standing.group, member, nullptr);
    const Result<uint64_t> mended = comparer.MendDigests();
    if (!mended.has_value()) {
      LOG_DEBUG("copies were not compared pg={} server={} reason={}", id, member, mended.error());
      continue;
    }
    absl::MutexLock lock(&mu_);
    progress_.set_differing_chunks(progress_.differing_chunks() + *mended);
  }
}

}  // namespace cairn
