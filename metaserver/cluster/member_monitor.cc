#include "metaserver/cluster/member_monitor.h"

#include <pthread.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/logging.h"
#include "metaserver/cluster/cluster_shape.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/placement/plan_groups.h"
#include "metaserver/placement/plan_members.h"
#include "metaserver/placement/plan_moves.h"

namespace cairn {
namespace {

constexpr int kLookMilliseconds = 100;
constexpr Duration kMovesEvery = std::chrono::milliseconds(200);
constexpr size_t kMaxUpdatesPerCommand = 1000;

std::string MembersText(const v1::PlacementGroup& group) {
  std::string text;
  for (const v1::Member& member : group.members()) {
    if (!text.empty()) text += ',';
    text += std::to_string(member.server());
    if (member.state() == v1::MEMBER_SYNCING) text += "(syncing)";
    if (member.state() == v1::MEMBER_LEAVING) text += "(leaving)";
  }
  return text;
}

}  // namespace

MemberMonitor::MemberMonitor(ReplicatedState& state, MapCache& maps, ServerRegistry& registry,
                             const Clock& clock)
    : state_(state), maps_(maps), registry_(registry), clock_(clock) {}

MemberMonitor::~MemberMonitor() {
  Stop();
}

void MemberMonitor::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "member-monitor");
    Run();
  });
}

void MemberMonitor::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void MemberMonitor::Wake() {
  absl::MutexLock lock(&mu_);
  woken_ = true;
}

void MemberMonitor::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      const auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return woken_ || stopping_; };
      mu_.AwaitWithTimeout(absl::Condition(&due), absl::Milliseconds(kLookMilliseconds));
      if (stopping_) return;
      woken_ = false;
    }
    const Status status = Tick();
    if (!status.ok()) LOG_WARN("placement groups could not be moved on reason=\"{}\"", status);
  }
}

MemberMonitor::Signature MemberMonitor::Look(const MapSnapshot& map,
                                             std::map<ServerId, ServerView>& views) const {
  Signature seen;
  seen.first = map.version;
  for (const auto& [id, record] : map.servers) {
    const ServerView view = registry_.View(record);
    seen.second.emplace_back(id, view.incarnation, view.presence);
    views.emplace(id, view);
  }
  return seen;
}

Status MemberMonitor::Tick() {
  const Term term = state_.ServingTerm();
  if (term == Term()) return OkStatus();  // the leader watches
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  std::map<ServerId, ServerView> views;
  registry_.NoteLook();
  Signature seen = Look(*map, views);
  if (seen != settled_) {
    ASSIGN_OR_RETURN(const bool moved, TickMembers(term, *map, views));
    if (moved) return OkStatus();
    settled_ = std::move(seen);
  }
  ReleaseGone(views);
  return TickMoves(term, *map);
}

Result<bool> MemberMonitor::TickMembers(Term term, const MapSnapshot& map,
                                        const std::map<ServerId, ServerView>& views) {
  const auto view_of = [&](ServerId server) {
    const auto found = views.find(server);
    return found == views.end() ? ServerView() : found->second;
  };
  std::vector<v1::PlacementGroup> updates;
  for (const auto& [id, group] : map.groups) {
    if (std::optional<v1::PlacementGroup> next = PlanMembers(group, view_of)) {
      updates.push_back(*std::move(next));
    }
  }
  if (updates.empty()) return false;
  if (CondemnRemoved(map, views, updates)) {
    RETURN_IF_ERROR(ProposeUpdates(term, std::move(updates)));
  }
  Wake();  // look again
  return true;
}

// Less often than at members: what it decides takes seconds at least.
Status MemberMonitor::TickMoves(Term term, const MapSnapshot& map) {
  const BootTime now = clock_.Now();
  if (now < next_moves_) return OkStatus();
  next_moves_ = now + kMovesEvery;
  std::vector<v1::PlacementGroup> updates =
      PlanMoves(LookAtShape(map, registry_, clock_.WallNow()), MovePolicy());
  if (updates.empty()) return TickGenerations(term, map);
  return ProposeUpdates(term, std::move(updates));
}

// The groups of the new generation are made when the first file asks for them.
Status MemberMonitor::TickGenerations(Term term, const MapSnapshot& map) {
  const auto targets = static_cast<uint32_t>(
      std::count_if(map.servers.begin(), map.servers.end(), [&](const auto& entry) {
        return entry.second.state() == v1::SERVER_IN_SERVICE &&
               registry_.View(entry.second).presence == ServerView::Presence::kAlive;
      }));
  for (const auto& [id, pool] : map.pools) {
    if (!IsOutgrown(pool, targets)) continue;
    v1::Command command;
    command.set_only_in_term(term.value);
    command.mutable_set_pool()->set_pool(id.value);
    command.mutable_set_pool()->set_end_generation(pool.generation());
    const Result<v1::Outcome> outcome = state_.ProposeAndWait(std::move(command));
    maps_.Invalidate();
    RETURN_IF_ERROR(StatusOfOutcome(outcome));
    LOG_INFO("new files get more placement groups pool={} groups={} servers={}", id,
             pool.group_count(), targets);
  }
  return OkStatus();
}

bool MemberMonitor::CondemnRemoved(const MapSnapshot& map,
                                   const std::map<ServerId, ServerView>& views,
                                   const std::vector<v1::PlacementGroup>& updates) {
  std::set<ServerId> removed;
  for (const v1::PlacementGroup& update : updates) {
    for (const v1::Member& member : map.FindGroup(PgId(update.id()))->members()) {
      if (member.state() == v1::MEMBER_ACTIVE) removed.insert(ServerId(member.server()));
    }
  }
  for (const ServerId server : removed) {
    const auto view = views.find(server);
    const bool gone = view != views.end() && view->second.presence == ServerView::Presence::kGone;
    if (gone && !registry_.Condemn(*map.FindServer(server))) return false;
  }
  return true;
}

// In another term a server that is to be removed may have been given a lease (C1).
Status MemberMonitor::ProposeUpdates(Term term, std::vector<v1::PlacementGroup> updates) {
  for (size_t first = 0; first < updates.size(); first += kMaxUpdatesPerCommand) {
    const size_t end = std::min(updates.size(), first + kMaxUpdatesPerCommand);
    v1::Command command;
    command.set_only_in_term(term.value);
    for (size_t i = first; i < end; ++i) {
      LOG_DEBUG("group moves on pg={} epoch={} members={}", updates[i].id(), updates[i].epoch(),
                MembersText(updates[i]));
      *command.mutable_update_groups()->add_groups() = std::move(updates[i]);
    }
    const Result<v1::Outcome> outcome = state_.ProposeAndWait(std::move(command));
    maps_.Invalidate();
    RETURN_IF_ERROR(StatusOfOutcome(outcome));
    LOG_INFO("placement groups moved on count={} conflicts={}", end - first,
             outcome->conflicts_size());
  }
  Wake();  // look again: conflicts are planned anew
  return OkStatus();
}

// It is out of every group that can do without it, and its lease has run out.
void MemberMonitor::ReleaseGone(const std::map<ServerId, ServerView>& views) {
  for (const auto& [server, view] : views) {
    const bool gone = view.presence == ServerView::Presence::kGone;
    if (gone && registry_.IsShunned(server)) registry_.ReleaseShunned(server);
  }
}

}  // namespace cairn
