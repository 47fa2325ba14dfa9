#include "cli/metaserver_health.h"

#include <fmt/format.h>

namespace cairn {

namespace {
v1::HealthItem Item(const char* code, const char* severity, std::string subject, std::string text) {
  v1::HealthItem item;
  item.set_code(code);
  item.set_severity(severity);
  item.set_subject(std::move(subject));
  item.set_text(std::move(text));
  return item;
}

std::string NameOf(const GroupMember& member) {
  const std::string& address = member.address.empty() ? member.grpc : member.address;
  return fmt::format("metaserver {} at {}", member.server, address);
}

std::string WhyDown(const GroupMember& member) {
  if (member.role == "unborn") {
    return fmt::format(
        "its directory is empty: it is not the member it was; take it out with "
        "'cairn meta remove {}' and in again with 'cairn meta add'",
        member.server);
  }
  return member.trouble.empty() ? "does not answer" : "does not answer: " + member.trouble;
}

std::string WhyBehind(const GroupMember& member) {
  if (!member.trouble.empty()) return member.trouble;
  return "needs a snapshot";
}
}  // namespace

std::vector<v1::HealthItem> DiagnoseMetaservers(const GroupView& group) {
  std::vector<v1::HealthItem> items;
  if (group.voters() == 0 && !group.members.empty()) {
    items.push_back(Item("META_UNBORN", "error", "metaservers",
                         "none of the metaservers that answer belongs to a cluster: never founded, "
                         "or their directories are lost"));
  }
  if (group.voters() > 0 && !group.HasQuorum()) {
    items.push_back(
        Item("META_NO_QUORUM", "error", "metaservers",
             fmt::format("{} of {} answer, {} are needed: all requests wait",
                         group.answering_voters(), group.voters(), group.voters() / 2 + 1)));
  }
  if (group.voters() > 0 && group.leader == 0) {
    items.push_back(Item("META_NO_LEADER", "error", "metaservers",
                         "none of those that answer knows a leader: nothing is served"));
  }
  for (const GroupMember& member : group.members) {
    if (member.part.empty()) continue;
    if (!member.Answers() || member.role == "unborn") {
      items.push_back(Item("META_DOWN", "warning", NameOf(member), WhyDown(member)));
    } else if (member.needs_snapshot || !member.trouble.empty()) {
      items.push_back(Item("META_BEHIND", "warning", NameOf(member), WhyBehind(member)));
    }
  }
  return items;
}

}  // namespace cairn
