// What members say of each other: as Membership, of which this is the model.
#include <algorithm>

#include "tests/simulation/chunks/map_keeper.h"

namespace cairn::simulation::chunks {

Status MapKeeper::Report(const v1::ReportMemberRequest& request) {
  const auto found = groups_.find(PgId(request.group()));
  if (found == groups_.end()) return Status(ErrorCode::kNotFound, "no such group");
  const v1::PlacementGroup& group = found->second;
  if (group.epoch() != request.epoch()) return Status(ErrorCode::kStaleEpoch, "moved on");
  const ServerId reporter(request.reporter());
  const ServerId accused(request.accused());
  const v1::Member* by = FindMember(group, reporter);
  const v1::Member* member = FindMember(group, accused);
  if (by == nullptr || by->state() != v1::MEMBER_ACTIVE || member == nullptr) {
    return Status(ErrorCode::kNotPrimary, "not active in the group");
  }
  const ServerView view = View(accused);
  if (!IsUnrestarted(*member, view) || view.presence != ServerView::Presence::kAlive ||
      registry_.IsShunned(accused) || registry_.IsShunned(reporter)) {
    return OkStatus();
  }
  if (request.fault() == v1::FAULT_ANSWERED_ERROR) {
    reports_.Forget(accused);
    registry_.Shun(accused, request.reason());
    return OkStatus();
  }
  const MemberReports::Reporter alone{reporter, reporter};  // each process has one disk here
  const MemberReports::Verdict verdict = reports_.Note(alone, accused, clock_.Now());
  if (verdict == MemberReports::Verdict::kWait) return OkStatus();
  // It was heard within the second: whoever misses it alone leaves.
  const bool reporter_leaves = verdict == MemberReports::Verdict::kReporterLeaves;
  reports_.Forget(reporter_leaves ? reporter : accused);
  registry_.Shun(reporter_leaves ? reporter : accused, "reported");
  return OkStatus();
}

void MapKeeper::Synced(const SyncedCall& call) {
  const v1::MemberSyncedRequest& request = call.request();
  const PgId id(request.group());
  const auto found = groups_.find(id);
  if (found == groups_.end()) return call.Fail(Status(ErrorCode::kNotFound, "no such group"));
  const v1::PlacementGroup& group = found->second;
  const ServerId server(request.member());
  const v1::Member* member = FindMember(group, server);
  const auto reply = [this, id, call] {
    v1::MemberSyncedResponse response;
    *response.mutable_changes()->add_groups() = groups_.at(id);
    call.Reply(response);
  };
  if (member != nullptr && member->state() == v1::MEMBER_ACTIVE &&
      member->incarnation() == request.member_incarnation()) {
    return reply();
  }
  const v1::Member* primary = PrimaryOf(group);
  if (group.epoch() != request.epoch() || member == nullptr || primary == nullptr ||
      primary->server() != request.reporter()) {
    return call.Fail(Status(ErrorCode::kStaleEpoch, "the group has moved on"));
  }
  const ServerView view = View(server);
  if (member->state() != v1::MEMBER_SYNCING || view.presence == ServerView::Presence::kGone ||
      view.incarnation.value != request.member_incarnation() || registry_.IsShunned(server)) {
    return call.Fail(Status(ErrorCode::kStaleEpoch, "another start is up"));
  }
  Commit(PlanActivation(group, server, view), [call, reply](bool committed) {
    committed ? reply() : call.Fail(Status(ErrorCode::kStaleEpoch, "the group has moved on"));
  });
}

bool MapKeeper::HasLeft(const v1::PlacementGroup& group, ServerId server) const {
  const ServerView view = View(server);
  if (view.presence == ServerView::Presence::kGone) return true;
  return std::none_of(group.activated().begin(), group.activated().end(), [&](const auto& member) {
    return member.server() == server.value && member.incarnation() == view.incarnation.value;
  });
}

// As GroupActivation.
void MapKeeper::ActivateGroup(const ActivateCall& call) {
  const v1::ActivateGroupsRequest& request = call.request();
  const v1::ActivateGroupsRequest::Group asked = request.groups(0);
  const PgId id(asked.group());
  const auto answer = [this, id, asked, call] {
    v1::ActivateGroupsResponse response;
    const v1::PlacementGroup& now = groups_.at(id);
    if (now.epoch() == asked.epoch() && IsActivated(now)) {
      *response.mutable_changes()->add_groups() = now;
    }
    call.Reply(response);
  };
  const v1::PlacementGroup& group = groups_.at(id);
  const v1::Member* primary = PrimaryOf(group);
  if (group.epoch() != asked.epoch() || IsActivated(group) || primary == nullptr ||
      primary->server() != request.reporter()) {
    return answer();
  }
  for (const v1::Member& member : group.members()) {
    if (member.state() != v1::MEMBER_LEAVING) continue;
    const auto& heard = asked.heard();
    const bool knows = std::find(heard.begin(), heard.end(), member.server()) != heard.end();
    if (!knows && !HasLeft(group, ServerId(member.server()))) return answer();
  }
  Later([this, id, asked, answer] {
    v1::PlacementGroup& now = groups_.at(id);
    if (now.epoch() == asked.epoch() && !IsActivated(now)) {
      Activate(now);
      now.set_changed_at(++version_);
      world_.trace.Line([&] { return ToString(now) + " activated"; });
      activated_(id);
    }
    answer();
  });
}

}  // namespace cairn::simulation::chunks
