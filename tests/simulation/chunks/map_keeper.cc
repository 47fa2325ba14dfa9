#include "tests/simulation/chunks/map_keeper.h"

#include <utility>

#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {
constexpr Time kLookEvery = 100ms;
using Presence = ServerView::Presence;
}  // namespace

std::string ToString(const v1::PlacementGroup& group) {
  std::string text = fmt::format("group {} epoch {}:", group.id(), group.epoch());
  for (const v1::Member& member : group.members()) {
    text += fmt::format(" {}{}", member.server(),
                        member.state() == v1::MEMBER_ACTIVE    ? ""
                        : member.state() == v1::MEMBER_LEAVING ? "(leaving)"
                                                               : "(syncing)");
  }
  return text;
}

MapKeeper::MapKeeper(ChunkWorld& world, Wires& wires)
    : world_(world),
      wires_(wires),
      random_(world.plan.seed, 0x3ae9),
      domain_(Time(50s), world.plan.drift ? random_.Between(-40, 40) : 0),
      clock_(world, domain_),
      port_(std::make_shared<Port>(world, domain_, kMetaserver)),
      registry_(clock_),
      sessions_(world, clock_, registry_, servers_,
                [this](std::function<void()> work) { Later(std::move(work)); }) {}

void MapKeeper::Start() {
  dispatcher_.Handle<v1::JoinRequest, v1::JoinResponse>(
      v1::CLUSTER_JOIN, [this](const JoinCall& call) { Join(call); });
  dispatcher_.Handle<v1::HeartbeatRequest, v1::HeartbeatResponse>(
      v1::CLUSTER_HEARTBEAT, [this](const HeartbeatCall& call) { Heartbeat(call); });
  dispatcher_.Handle<v1::ReportMemberRequest, v1::ReportMemberResponse>(
      v1::CLUSTER_REPORT_MEMBER, [this](const ReportCall& call) {
        const Status status = Report(call.request());
        status.ok() ? call.Reply({}) : call.Fail(status);
      });
  dispatcher_.Handle<v1::MemberSyncedRequest, v1::MemberSyncedResponse>(
      v1::CLUSTER_MEMBER_SYNCED, [this](const SyncedCall& call) { Synced(call); });
  dispatcher_.Handle<v1::ActivateGroupsRequest, v1::ActivateGroupsResponse>(
      v1::CLUSTER_ACTIVATE_GROUPS, [this](const ActivateCall& call) { ActivateGroup(call); });
  pools_[PoolId(1)].set_id(1);
  pools_[PoolId(1)].set_copies(static_cast<uint32_t>(world_.plan.copies));
  port_->dispatcher = &dispatcher_;
  wires_.Plug(port_);
  world_.scheduler.After(kLookEvery, [this] { Look(); });
  sessions_.Start();
}

void MapKeeper::AddServer(const v1::ServerRecord& record) {
  servers_[ServerId(record.id())] = record;
}

void MapKeeper::AddGroup(const v1::PlacementGroup& group) {
  groups_[PgId(group.id())] = group;
  groups_[PgId(group.id())].set_changed_at(version_);
  Activate(groups_[PgId(group.id())]);
}

bool MapKeeper::IsQuiet(PgId id) const {
  bool any_active = false;
  for (const v1::Member& member : group(id).members()) {
    const ServerView view = View(ServerId(member.server()));
    if (member.state() != v1::MEMBER_ACTIVE) continue;
    if (view.presence != Presence::kAlive || !IsUnrestarted(member, view)) return false;
    any_active = true;
  }
  return any_active;
}

void MapKeeper::Later(std::function<void()> work) {
  world_.scheduler.After(random_.Between(Time(1ms), Time(15ms)),
                         [work = std::move(work), leader = leaders_, this] {
                           // What an earlier leader had not committed yet may never be.
                           if (leader == leaders_ || random_.Chance(500)) work();
                         });
}

void MapKeeper::ChangeLeader() {
  ++leaders_;
  registry_.Restart();
  reports_ = {};
}

v1::ClusterMap MapKeeper::ChangesSince(uint64_t version) const {
  v1::ClusterMap map;
  map.set_version(version_);
  v1::Pool& pool = *map.add_pools();
  pool.set_id(1);
  pool.set_min_active(static_cast<uint32_t>(world_.plan.min_active));
  map.mutable_settings()->set_scrub_seconds(static_cast<uint64_t>(world_.plan.scrub / 1s));
  for (const auto& [id, group] : groups_) {
    if (group.changed_at() > version) *map.add_groups() = group;
  }
  for (const auto& [id, record] : servers_) {
    v1::ServerAddress& address = *map.add_servers();
    address.set_server(id.value);
    *address.mutable_frames() = record.frames();
    address.set_incarnation(record.incarnation());
    address.set_scrub_order(scrub_order_);
  }
  return map;
}

void MapKeeper::Join(const JoinCall& call) {
  const v1::JoinRequest request = call.request();
  const ServerId server(request.server());
  const auto found = servers_.find(server);
  if (found == servers_.end() || found->second.disk_uuid() != request.disk_uuid()) {
    return call.Fail(Status(ErrorCode::kWrongCluster, "unknown disk"));
  }
  if (request.incarnation() < found->second.incarnation()) {
    return call.Fail(Status(ErrorCode::kStaleRequest, "started again since"));
  }
  if (const Status welcome = registry_.CheckWelcome(server, Incarnation(request.incarnation()));
      !welcome.ok()) {
    return call.Fail(welcome);
  }
  Later([this, call, request, server] {
    v1::ServerRecord& record = servers_.at(server);
    if (request.incarnation() < record.incarnation()) return;
    if (request.incarnation() > record.incarnation()) ++version_;
    record.set_incarnation(request.incarnation());
    record.set_boot_id(request.boot_id());
    *record.mutable_frames() = request.frames();
    registry_.NoteJoin(record);
    v1::JoinResponse response;
    response.set_cluster_id("simulated");
    response.set_server(server.value);
    call.Reply(response);
  });
}

void MapKeeper::Heartbeat(const HeartbeatCall& call) {
  const auto found = servers_.find(ServerId(call.request().server()));
  if (found == servers_.end()) return call.Fail(Status(ErrorCode::kNotFound, "join first"));
  if (const Status noted = registry_.NoteHeartbeat(call.request(), found->second); !noted.ok()) {
    return call.Fail(noted);
  }
  v1::HeartbeatResponse response;
  *response.mutable_changes() = ChangesSince(call.request().map_version());
  sessions_.Tell(call.request(), response);
  call.Reply(response);
}

ServerView MapKeeper::Seen(ServerId server) const {
  ServerView view = View(server);
  // A bug: who has been silent for a second is taken out, whatever leases it has.
  if (ChunkBugIs(ChunkBug::kRemovedTooEarly) && view.presence == Presence::kQuiet) {
    view.presence = Presence::kGone;
  }
  return view;
}

// As MemberMonitor::Tick.
void MapKeeper::Look() {
  world_.scheduler.After(kLookEvery, [this] { Look(); });
  registry_.NoteLook();
  const ServerViews views = [this](ServerId server) { return Seen(server); };
  std::vector<v1::PlacementGroup> updates;
  for (auto& [id, group] : groups_) {
    auto next = PlanMembers(group, views);
    if (ChunkBugIs(ChunkBug::kAnySourceWillDo) && !next.has_value()) next = FirstBack(group);
    if (next.has_value()) updates.push_back(*std::move(next));
  }
  if (!updates.empty()) {
    if (!Condemn(updates)) return;
    for (const v1::PlacementGroup& update : updates) Commit(update, [](bool) {});
    return;
  }
  for (const auto& [server, record] : servers_) {
    const bool gone = View(server).presence == Presence::kGone;
    if (gone && registry_.IsShunned(server)) registry_.ReleaseShunned(server);
  }
  for (const auto& [server, replacement] : replaced_) PutInPlace(server, replacement);
  if (world_.plan.seed % 2 == 0) Move();
}

ClusterShape MapKeeper::Shape() const {
  ClusterShape shape{&pools_, &groups_, {}, {}, {}};
  for (const auto& [id, record] : servers_) {
    PlacementTarget& target = shape.targets[id];
    target.id = id;
    target.host = std::to_string(id.value);
    target.view = View(id);
    target.silence = registry_.Silence(id);
    target.draining = draining_ == id;
  }
  return shape;
}

void MapKeeper::Move() {
  if (drains_ && random_.Chance(4)) {
    const auto at = random_.Between(0, static_cast<int>(servers_.size()) - 1);
    draining_ = std::next(servers_.begin(), at)->first;
  } else if (random_.Chance(4)) {
    draining_.reset();
  }
  if (!random_.Chance(300)) return;
  MovePolicy policy;
  policy.grace = std::chrono::seconds(6);
  for (const v1::PlacementGroup& next : PlanMoves(Shape(), policy)) Commit(next, [](bool) {});
}

void MapKeeper::EndDrains() {
  drains_ = false;
  draining_.reset();
}

// A bug: nobody can serve, and whoever is heard of first becomes the source.
std::optional<v1::PlacementGroup> MapKeeper::FirstBack(const v1::PlacementGroup& group) const {
  v1::PlacementGroup next = group;
  next.set_epoch(group.epoch() + 1);
  v1::Member* back = nullptr;
  for (v1::Member& member : *next.mutable_members()) {
    const ServerView view = View(ServerId(member.server()));
    if (MayServe(member, view)) return std::nullopt;
    if (member.state() == v1::MEMBER_ACTIVE && view.presence == Presence::kAlive) back = &member;
  }
  if (back == nullptr) return std::nullopt;
  for (v1::Member& member : *next.mutable_members()) {
    member.set_state(&member == back ? v1::MEMBER_ACTIVE : v1::MEMBER_SYNCING);
  }
  const ServerView view = View(ServerId(back->server()));
  back->set_incarnation(view.incarnation.value);
  back->set_boot_id(view.boot_id);
  return next;
}

bool MapKeeper::Condemn(const std::vector<v1::PlacementGroup>& updates) {
  for (const v1::PlacementGroup& update : updates) {
    for (const v1::Member& member : group(PgId(update.id())).members()) {
      const ServerId server(member.server());
      if (member.state() != v1::MEMBER_ACTIVE || View(server).presence != Presence::kGone) continue;
      if (!registry_.Condemn(servers_.at(server))) return false;
    }
  }
  return true;
}

void MapKeeper::Commit(const v1::PlacementGroup& next, const std::function<void(bool)>& done) {
  Later([this, next, done] {
    v1::PlacementGroup& now = groups_.at(PgId(next.id()));
    if (now.epoch() + 1 != next.epoch()) return done(false);
    v1::PlacementGroup begun = next;
    BeginEpoch(now, begun);  // as UpdateGroups
    now = begun;
    now.set_changed_at(++version_);
    world_.trace.Add(2, next.id(), next.epoch());
    world_.trace.Line([&] { return ToString(now); });
    done(true);
  });
}

void MapKeeper::Replace(ServerId server, ServerId replacement) {
  replaced_[server] = replacement;
  PutInPlace(server, replacement);
}

// Again and again: what is committed meanwhile for another reason comes first.
void MapKeeper::PutInPlace(ServerId server, ServerId replacement) {
  for (auto& [id, group] : groups_) {
    v1::PlacementGroup next = group;
    bool changed = false;
    for (v1::Member& member : *next.mutable_members()) {
      if (member.server() != server.value) continue;
      if (FindMember(group, replacement) != nullptr) continue;
      CAIRN_CHECK(member.state() == v1::MEMBER_SYNCING);
      member.set_server(replacement.value);
      changed = true;
    }
    BeginEpoch(group, next);
    if (changed) Commit(next, [](bool) {});
  }
}

bool MapKeeper::IsActiveAnywhere(ServerId server) const {
  for (const auto& [id, group] : groups_) {
    const v1::Member* member = FindMember(group, server);
    if (member != nullptr && member->state() != v1::MEMBER_SYNCING) return true;
    for (const v1::Member& source : group.activated()) {
      if (source.server() == server.value) return true;
    }
  }
  return false;
}

}  // namespace cairn::simulation::chunks
