#include "metaserver/cluster/group_activation.h"

#include <algorithm>
#include <utility>

#include "metaserver/cluster/outcome.h"
#include "metaserver/placement/group_row.h"

namespace cairn {
namespace {

constexpr int kMostGroups = 1000;

}  // namespace

// The process that was active is dead, or silent for so long that its lease has run out.
bool GroupActivation::HasLeft(const v1::PlacementGroup& group, ServerId server,
                              const MapSnapshot& map) const {
  const v1::ServerRecord* record = map.FindServer(server);
  if (record == nullptr) return true;
  const ServerView view = registry_.View(*record);
  if (view.presence == ServerView::Presence::kGone) return true;
  return std::none_of(group.activated().begin(), group.activated().end(), [&](const auto& member) {
    return member.server() == server.value && member.incarnation() == view.incarnation.value;
  });
}

bool GroupActivation::MayBeActivated(const v1::ActivateGroupsRequest::Group& asked,
                                     ServerId reporter, const MapSnapshot& map) const {
  const v1::PlacementGroup* group = map.FindGroup(PgId(asked.group()));
  if (group == nullptr || group->epoch() != asked.epoch() || IsActivated(*group)) return false;
  const v1::Member* primary = PrimaryOf(*group);
  if (primary == nullptr || primary->server() != reporter.value) return false;
  return std::all_of(group->members().begin(), group->members().end(), [&](const auto& member) {
    if (member.state() != v1::MEMBER_LEAVING) return true;
    const auto& heard = asked.heard();
    return std::find(heard.begin(), heard.end(), member.server()) != heard.end() ||
           HasLeft(*group, ServerId(member.server()), map);
  });
}

Result<v1::ActivateGroupsResponse> GroupActivation::Answer(
    const v1::ActivateGroupsRequest& request) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  v1::ActivateGroupsResponse response;
  for (const auto& asked : request.groups()) {
    const v1::PlacementGroup* group = map->FindGroup(PgId(asked.group()));
    if (group == nullptr || group->epoch() != asked.epoch() || !IsActivated(*group)) continue;
    *response.mutable_changes()->add_groups() = *group;
  }
  return response;
}

void GroupActivation::Activate(const v1::ActivateGroupsRequest& request,
                               std::function<void(Result<v1::ActivateGroupsResponse>)> done) {
  if (request.groups_size() > kMostGroups) {
    return done(Fail(ErrorCode::kTooLarge, "{} groups at once", request.groups_size()));
  }
  const auto map = maps_.Get();
  if (!map.has_value()) return done(Fail(map.error()));
  v1::Command command;
  v1::ActivateGroupsCommand& activate = *command.mutable_activate_groups();
  for (const auto& asked : request.groups()) {
    if (!MayBeActivated(asked, ServerId(request.reporter()), **map)) continue;
    activate.add_groups()->set_group(asked.group());
    activate.mutable_groups()->rbegin()->set_epoch(asked.epoch());
  }
  if (activate.groups().empty()) return done(Answer(request));
  const auto kept = std::make_shared<const v1::ActivateGroupsRequest>(request);
  state_.Propose(std::move(command),
                 [this, kept, done = std::move(done)](const Result<v1::Outcome>& outcome) {
                   const Status status = StatusOfOutcome(outcome);
                   if (!status.ok()) return done(Fail(status));
                   maps_.Invalidate();
                   done(Answer(*kept));
                 });
}

}  // namespace cairn
