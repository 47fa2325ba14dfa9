#include "metaserver/cluster/reaper.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/time.h"
#include "common/logging.h"
#include "metaserver/cluster/countdown.h"
#include "metaserver/cluster/fence_watch.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/placement/locate.h"
#include "metaserver/store/rows.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMaxChunksPerRound = 1000;
constexpr Duration kFrameDeadline = 5s;
constexpr Duration kRetryAfter = 2s;
constexpr int kIdleMilliseconds = 200;
constexpr int kPaceMilliseconds = 5;  // between rounds: clients come first

v1::Command FinishCommand(const ReapItem& item) {
  v1::Command command;
  if (item.whole) {
    command.mutable_remove_orphan()->set_inode(item.inode.value);
  } else {
    command.mutable_finish_trim()->set_inode(item.inode.value);
    command.mutable_finish_trim()->set_generation(item.generation);
  }
  return command;
}

}  // namespace

// What one round sends: one frame per server and kind, and whose chunks are in it.
struct Reaper::Round {
  struct Frame {
    v1::RemoveChunksRequest request;
    std::set<size_t> items;
    Status status;
  };
  std::map<std::pair<ServerId, bool>, Frame> frames;
  std::map<size_t, Status> failed;     // by item number
  std::vector<std::set<PgId>> groups;  // by item number
};

Reaper::Reaper(ReplicatedState& state, MapCache& maps, ServerRegistry& registry,
               ChunkRemover& remover, const Clock& clock)
    : state_(state), maps_(maps), registry_(registry), remover_(remover), clock_(clock) {}

Reaper::~Reaper() {
  Stop();
}

void Reaper::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "reaper");
    Run();
  });
}

void Reaper::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Reaper::Run() {
  int wait_milliseconds = kIdleMilliseconds;
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Milliseconds(wait_milliseconds));
      if (stopping_) return;
    }
    if (!state_.Serves()) continue;  // the leader clears away
    const Result<size_t> moved = RunOnce();
    if (!moved.has_value()) LOG_WARN("chunks could not be removed reason=\"{}\"", moved.error());
    wait_milliseconds = moved.has_value() && *moved > 0 ? kPaceMilliseconds : kIdleMilliseconds;
  }
}

// A member that is catching up hears of a removal from its primary: by being compared again, or,
// when it is about to become active, before the primary answers.
bool Reaper::GroupIsQuiet(const v1::PlacementGroup& group, const MapSnapshot& map) const {
  bool any_active = false;
  for (const v1::Member& member : group.members()) {
    const v1::ServerRecord* record = map.FindServer(ServerId(member.server()));
    if (record == nullptr) return false;
    const ServerView view = registry_.View(*record);
    const bool alive = view.presence == ServerView::Presence::kAlive;
    if (member.state() != v1::MEMBER_ACTIVE) continue;
    if (!alive || !IsUnrestarted(member, view)) return false;
    any_active = true;
  }
  return any_active;
}

// Fills in where the chunks are; answers the groups.
Result<std::set<PgId>> Reaper::Address(ReapItem& item, const MapSnapshot& map) const {
  std::set<PgId> groups;
  if (item.chunks.empty()) return groups;
  const v1::Pool* pool = map.FindPool(PoolId(item.layout.pool()));
  const GroupRange of_file =
      pool == nullptr ? GroupRange() : GroupsOf(*pool, item.layout.generation());
  if (of_file.count == 0) {
    return Fail(ErrorCode::kUnavailable, "pool {} has no groups of generation {}",
                item.layout.pool(), item.layout.generation());
  }
  for (v1::ChunkAddress& chunk : item.chunks) {
    const PgId id = LocateChunk(of_file, item.layout.seed(), chunk.index());
    const v1::PlacementGroup* group = map.FindGroup(id);
    if (group != nullptr && group->lost()) continue;  // nothing of it is served, nor ever will be
    if (group == nullptr || (!groups.contains(id) && !GroupIsQuiet(*group, map))) {
      return Fail(ErrorCode::kUnavailable, "group {} is not whole", id);
    }
    groups.insert(id);
    chunk.set_group(id.value);
    chunk.set_epoch(group->epoch());
  }
  return groups;
}

void Reaper::AddToRequests(const ReapItem& item, size_t item_number, const MapSnapshot& map,
                           Round& round) const {
  for (const v1::ChunkAddress& chunk : item.chunks) {
    if (chunk.group() == 0) continue;  // lost
    for (const v1::Member& member : map.FindGroup(PgId(chunk.group()))->members()) {
      if (member.state() != v1::MEMBER_ACTIVE) continue;
      Round::Frame& frame = round.frames[{ServerId(member.server()), item.whole}];
      frame.request.set_whole(item.whole);
      *frame.request.add_chunks() = chunk;
      frame.items.insert(item_number);
    }
  }
}

void Reaper::SendAll(const MapSnapshot& map, Round& round) {
  const auto left = std::make_shared<Countdown>(round.frames.size());
  const Deadline deadline = Deadline::After(kFrameDeadline);
  for (auto& [key, frame] : round.frames) {
    Status& status = frame.status;
    remover_.Remove(*map.FindServer(key.first), frame.request, deadline,
                    [left, &status](Status answer) {
                      status = std::move(answer);
                      left->Done();
                    });
  }
  left->Wait();
  for (const auto& [key, frame] : round.frames) {
    if (frame.status.ok()) continue;
    for (const size_t item : frame.items) round.failed.emplace(item, frame.status);
  }
}

Status Reaper::CheckUnchanged(const std::set<PgId>& groups, const MapSnapshot& before,
                              const MapSnapshot& after) const {
  for (const PgId id : groups) {
    const v1::PlacementGroup* group = after.FindGroup(id);
    if (group == nullptr || group->epoch() != before.FindGroup(id)->epoch() ||
        !GroupIsQuiet(*group, after)) {
      return Status::Error(ErrorCode::kStaleEpoch, "group {} has moved on", id);
    }
  }
  return OkStatus();
}

void Reaper::Defer(const ReapItem& item, const Status& why) {
  LOG_DEBUG("chunk removal put off inode={} reason=\"{}\"", item.inode, why);
  deferred_[{item.inode, item.whole}] = clock_.Now() + kRetryAfter;
}

Result<size_t> Reaper::RunOnce() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const BootTime now = clock_.Now();
  std::erase_if(deferred_, [&](const auto& entry) { return entry.second <= now; });
  const std::unique_ptr<ReadView> view = state_.View();
  // Asked after the rows are as they will be read: what passed before a fence says nothing of it.
  const uint64_t passed = PassedFences(*map, registry_);
  ASSIGN_OR_RETURN(std::vector<ReapItem> items,
                   scan_.Next(*view, kMaxChunksPerRound, passed, [&](InodeId inode, bool whole) {
                     return deferred_.contains({inode, whole});
                   }));
  if (items.empty()) return 0;
  Round round;
  round.groups.resize(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    Result<std::set<PgId>> found = Address(items[i], *map);
    if (!found.has_value()) {
      round.failed.emplace(i, found.error());
      continue;
    }
    round.groups[i] = *std::move(found);
    AddToRequests(items[i], i, *map, round);
  }
  // After the groups were seen to be quiet: a server that was silent for long, and is heard again
  // before it was taken out of a group, may still have something under way of who was shut out.
  if (PassedFences(*map, registry_) < passed) return 0;
  SendAll(*map, round);
  return Settle(items, *map, round);
}

// Sorts out what is gone, what goes on and what has to wait.
Result<size_t> Reaper::Settle(std::vector<ReapItem>& items, const MapSnapshot& before,
                              const Round& round) {
  maps_.Invalidate();
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> after, maps_.Get());
  std::vector<ReapItem> finished;
  size_t moved = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const auto failed = round.failed.find(i);
    const Status status = failed != round.failed.end()
                              ? failed->second
                              : CheckUnchanged(round.groups[i], before, *after);
    if (!status.ok()) {
      Defer(items[i], status);
      continue;
    }
    ++moved;
    scan_.Advance(items[i]);
    if (items[i].complete) finished.push_back(std::move(items[i]));
  }
  Finish(finished);
  return moved;
}

// The proposals share an fdatasync.
void Reaper::Finish(const std::vector<ReapItem>& items) {
  const auto left = std::make_shared<Countdown>(items.size());
  std::vector<Status> results(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    state_.Propose(FinishCommand(items[i]),
                   [left, &result = results[i]](Result<v1::Outcome> outcome) {
                     result = StatusOfOutcome(outcome);
                     left->Done();
                   });
  }
  left->Wait();
  for (size_t i = 0; i < items.size(); ++i) {
    if (!results[i].ok()) Defer(items[i], results[i]);
  }
}

}  // namespace cairn
