#include "cli/group_view.h"

#include <fmt/format.h>

#include <algorithm>

namespace cairn {

namespace {
// Of a group, by its own word.
bool IsBorn(const MemberAnswer& answer) {
  return answer.status.ok() && !answer.says.cluster_id().empty();
}

std::string TextOf(const v1::Endpoint& endpoint) {
  return endpoint.host().empty() ? "" : ChooseAddress(endpoint, /*allow_unix=*/false).ToString();
}

const MemberAnswer* BestBorn(const Survey& survey) {
  Survey born;
  std::copy_if(survey.begin(), survey.end(), std::back_inserter(born), IsBorn);
  const MemberAnswer* best = BestOf(born);
  if (best == nullptr) return nullptr;
  const auto same = [&](const MemberAnswer& answer) { return answer.address == best->address; };
  return &*std::find_if(survey.begin(), survey.end(), same);
}

// What the answer of `info`'s member is: by its id, or by its address if it has lost its id.
const MemberAnswer* AnswerOf(const v1::MetaserverInfo& info, const std::string& cluster_id,
                             const Survey& survey) {
  const MemberAnswer* at_its_address = nullptr;
  for (const MemberAnswer& answer : survey) {
    const bool ours = IsBorn(answer) && answer.says.cluster_id() == cluster_id;
    if (ours && answer.says.server() == info.server()) return &answer;
    const bool other = ours && answer.says.server() != info.server();
    if (!other && answer.Answers() && answer.address.ToString() == TextOf(info.address().grpc())) {
      at_its_address = &answer;
    }
  }
  return at_its_address;
}

void TakeOwnWords(const MemberAnswer& answer, const std::string& cluster_id, GroupMember& member) {
  const v1::ListMetaserversResponse& says = answer.says;
  member.grpc = answer.address.ToString();
  member.term = says.term();
  member.last_index = says.last_index();
  member.applied_index = says.applied_index();
  member.role = says.role().empty() ? "unborn" : says.role();
  member.trouble = says.trouble();
  if (member.role == "unborn") {
    member.trouble = "its directory is empty";
  } else if (says.cluster_id() != cluster_id) {
    member.role = "silent";  // whoever answers there is somebody else
    member.trouble = "belongs to cluster " + says.cluster_id();
  }
}

void TakeLeadersWords(const v1::MetaserverInfo& info, const v1::ListMetaserversResponse& leader,
                      GroupMember& member) {
  member.needs_snapshot = info.needs_snapshot();
  member.heard = info.heard();
  const bool itself = info.server() == leader.server();
  const uint64_t match = itself ? leader.last_index() : info.match();
  member.behind = leader.last_index() - std::min(leader.last_index(), match);
  if (!member.trouble.empty()) return;
  if (info.needs_snapshot()) member.trouble = "needs a snapshot";
  if (!member.Answers() && info.heard()) member.trouble = "answers the leader, but not here";
}

void AddListed(const Survey& survey, const MemberAnswer& best, GroupView& group) {
  for (const v1::MetaserverInfo& info : best.says.members()) {
    GroupMember member;
    member.server = info.server();
    member.address = TextOf(info.address().frames());
    member.grpc = TextOf(info.address().grpc());
    member.part = info.part();
    if (const MemberAnswer* answer = AnswerOf(info, group.cluster_id, survey)) {
      TakeOwnWords(*answer, group.cluster_id, member);
    }
    if (best.Leads()) TakeLeadersWords(info, best.says, member);
    group.members.push_back(std::move(member));
  }
}

// Those that answer and were not listed.
void AddOthers(const Survey& survey, GroupView& group) {
  for (const MemberAnswer& answer : survey) {
    const std::string grpc = answer.address.ToString();
    const bool shown =
        std::any_of(group.members.begin(), group.members.end(), [&](const GroupMember& member) {
          const bool same = answer.says.server() != 0 && member.server == answer.says.server();
          return same || member.grpc == grpc;
        });
    if (shown || !answer.status.ok()) continue;
    GroupMember member;
    member.server = answer.says.server();
    TakeOwnWords(answer, group.cluster_id, member);
    if (member.Answers() && member.role != "unborn") member.trouble = "not in the group";
    group.members.push_back(std::move(member));
  }
}

uint32_t LeaderOf(const Survey& survey, const MemberAnswer& best) {
  if (best.Leads()) return best.says.server();
  const MemberAnswer* newest = nullptr;
  for (const MemberAnswer& answer : survey) {
    const bool ours = IsBorn(answer) && answer.says.cluster_id() == best.says.cluster_id();
    if (!ours || answer.says.leader() == 0) continue;
    if (newest == nullptr || answer.says.term() > newest->says.term()) newest = &answer;
  }
  return newest == nullptr ? 0 : newest->says.leader();
}

std::string Text(uint64_t number, const GroupMember& member) {
  return member.Answers() ? std::to_string(number) : "-";
}

// Could vote for what the leader proposes.
bool Takes(const GroupMember& member) {
  return member.role != "unborn" && (member.Answers() || member.heard);
}

struct Count {
  size_t all = 0, taking = 0;
};
Count CountPart(const GroupView& group, const std::string& part) {
  Count count;
  for (const GroupMember& member : group.members) {
    if (member.part != part) continue;
    ++count.all;
    if (Takes(member)) ++count.taking;
  }
  return count;
}

Colour ColourOf(const GroupMember& member) {
  if (!member.Answers() || (member.role == "unborn" && !member.part.empty())) return Colour::kBad;
  return member.trouble.empty() ? Colour::kNone : Colour::kWarning;
}
}  // namespace

const GroupMember* GroupView::Find(uint32_t server) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const GroupMember& member) {
    return member.server == server && !member.part.empty();
  });
  return found == members.end() ? nullptr : &*found;
}

size_t GroupView::voters() const {
  return CountPart(*this, "voter").all;
}

size_t GroupView::answering_voters() const {
  return CountPart(*this, "voter").taking;
}

bool GroupView::HasQuorum() const {
  const Count voters = CountPart(*this, "voter");
  const Count outgoing = CountPart(*this, "outgoing");
  return voters.taking > voters.all / 2 &&
         voters.taking + outgoing.taking > (voters.all + outgoing.all) / 2;
}

GroupView MakeGroupView(const Survey& survey) {
  GroupView group;
  if (const MemberAnswer* best = BestBorn(survey)) {
    group.cluster_id = best->says.cluster_id();
    group.leader = LeaderOf(survey, *best);
    group.changing = best->says.changing();
    AddListed(survey, *best, group);
  }
  AddOthers(survey, group);
  std::stable_sort(group.members.begin(), group.members.end(),
                   [](const GroupMember& a, const GroupMember& b) {
                     if (a.part.empty() != b.part.empty()) return b.part.empty();
                     return a.server < b.server;
                   });
  return group;
}

void PrintGroup(const GroupView& group, const Console& console) {
  Table table({"METASERVER", "ADDRESS", "ROLE", "TERM", "LAST", "APPLIED", "BEHIND", "TROUBLE"});
  for (const GroupMember& member : group.members) {
    table.Add({member.server == 0 ? "-" : std::to_string(member.server),
               member.address.empty() ? member.grpc : member.address, member.role,
               Text(member.term, member), Text(member.last_index, member),
               Text(member.applied_index, member),
               member.behind ? std::to_string(*member.behind) : "-", member.trouble},
              ColourOf(member));
  }
  table.Print(console);
}

std::string MembersJson(const GroupView& group) {
  std::string list;
  for (const GroupMember& member : group.members) {
    list += fmt::format(
        "{}{{\"server\":{},\"address\":{},\"grpc\":{},\"part\":{},\"role\":{},\"term\":{},"
        "\"last_index\":{},\"applied_index\":{},\"behind\":{},\"needs_snapshot\":{},"
        "\"trouble\":{}}}",
        list.empty() ? "" : ",", member.server, QuoteJson(member.address), QuoteJson(member.grpc),
        QuoteJson(member.part), QuoteJson(member.role), member.term, member.last_index,
        member.applied_index, member.behind ? std::to_string(*member.behind) : "null",
        member.needs_snapshot, QuoteJson(member.trouble));
  }
  return "[" + list + "]";
}

std::string GroupJson(const GroupView& group) {
  return fmt::format("{{\"cluster_id\":{},\"leader\":{},\"changing\":{},\"members\":{}}}",
                     QuoteJson(group.cluster_id), group.leader, group.changing, MembersJson(group));
}

}  // namespace cairn
