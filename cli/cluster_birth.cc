#include "cli/cluster_birth.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "client/backoff.h"

namespace cairn {

namespace {
Address GrpcOf(const v1::MetaserverMember& founder) {
  return ChooseAddress(founder.address().grpc(), /*allow_unix=*/false);
}

const MemberAnswer* AnswerOf(const v1::MetaserverMember& founder, const Survey& survey) {
  const Address address = GrpcOf(founder);
  const auto found = std::find_if(survey.begin(), survey.end(), [&](const MemberAnswer& answer) {
    return answer.address == address;
  });
  return found == survey.end() ? nullptr : &*found;
}

// The cluster that its state is of. It is adopted before that: then only its group is known.
std::string FoundedAs(const MemberAnswer& answer) {
  if (answer.answer == nullptr) return "";
  return static_cast<const v1::GetStatusResponse&>(*answer.answer).cluster_id();
}

Status CheckSameCluster(const Birth& birth, const Survey& survey) {
  for (const MemberAnswer& answer : survey) {
    for (const std::string& other : {answer.says.cluster_id(), FoundedAs(answer)}) {
      if (other.empty() || other == birth.cluster_id) continue;
      return Status::Error(ErrorCode::kWrongCluster,
                           "the metaserver at {} belongs to cluster {} already, not to {}",
                           answer.address.ToString(), other, birth.cluster_id);
    }
  }
  return OkStatus();
}

std::string Silent(const Birth& birth, const Survey& survey) {
  std::string silent;
  for (const v1::MetaserverMember& founder : birth.founders) {
    const MemberAnswer* answer = AnswerOf(founder, survey);
    if (answer != nullptr && answer->answered.ok()) continue;
    silent += fmt::format("{}the metaserver at {} does not answer", silent.empty() ? "" : "; ",
                          GrpcOf(founder).ToString());
    if (answer != nullptr) silent += ": " + answer->answered.ToString();
  }
  return silent;
}

bool KnowsItsGroup(const MemberAnswer& answer) {
  return !answer.says.cluster_id().empty() || !FoundedAs(answer).empty();
}

BirthStep Wait(std::string what) {
  BirthStep step;
  step.waits_for = std::move(what);
  return step;
}

template <typename Members>
std::set<std::string> TextsOf(const Members& members) {
  std::set<std::string> texts;
  for (const auto& member : members) {
    const auto text = [](const v1::Endpoint& endpoint) {
      return ChooseAddress(endpoint, /*allow_unix=*/false).ToString();
    };
    texts.insert(fmt::format("{} at {} ({})", member.server(), text(member.address().frames()),
                             text(member.address().grpc())));
  }
  return texts;
}

// Two lists of founders under one id would make two majorities.
Status CheckSameFounders(const Birth& birth, const Survey& survey) {
  const std::set<std::string> founders = TextsOf(birth.founders);
  for (const MemberAnswer& answer : survey) {
    const std::set<std::string> listed = TextsOf(answer.says.members());
    if (listed.empty() || listed == founders) continue;
    return Status::Error(ErrorCode::kWrongCluster,
                         "the metaserver at {} was adopted into a group of other members: {}",
                         answer.address.ToString(), fmt::join(listed, ", "));
  }
  return OkStatus();
}

Result<BirthStep> PlanFirstBirth(const Birth& birth, const Survey& survey) {
  RETURN_IF_ERROR(CheckSameFounders(birth, survey));
  if (std::string silent = Silent(birth, survey); !silent.empty()) return Wait(std::move(silent));
  BirthStep step;
  step.kind = BirthStep::Kind::kFound;
  for (const v1::MetaserverMember& founder : birth.founders) {
    if (!KnowsItsGroup(*AnswerOf(founder, survey))) step.adopt.push_back(founder);
  }
  if (!step.adopt.empty()) step.kind = BirthStep::Kind::kAdopt;
  return step;
}

Status AllLost(const Birth& birth, const GroupView& group) {
  std::string text;
  for (const GroupMember& member : group.members) {
    if (member.role == "unborn") text += (text.empty() ? "" : "; ") + LostText(birth, member);
  }
  return Status::Error(ErrorCode::kWrongCluster,
                       "the cluster was founded, but the metaservers that know it are no majority "
                       "any more, and nothing is founded over its chunks: {}",
                       text);
}

Result<BirthStep> PlanReturn(const Birth& birth, const Survey& survey) {
  const GroupView group = MakeGroupView(survey);
  BirthStep step;
  for (const GroupMember& member : group.members) {
    if (member.role == "unborn" && !member.part.empty()) step.lost.push_back(member);
  }
  if (group.voters() > 0 ? group.HasQuorum()
                         : BestOf(survey) != nullptr && !FoundedAs(*BestOf(survey)).empty()) {
    step.kind = BirthStep::Kind::kBorn;
    return step;
  }
  const bool all_answer =
      group.members.empty()
          ? Silent(birth, survey).empty()
          : std::all_of(group.members.begin(), group.members.end(),
                        [](const GroupMember& member) { return member.Answers(); });
  const bool nobody_knows = group.cluster_id.empty() && Silent(birth, survey).empty();
  if (nobody_knows || (all_answer && !step.lost.empty())) return Fail(AllLost(birth, group));
  return Wait(fmt::format("{} of {} metaservers answer", group.answering_voters(),
                          std::max(group.voters(), birth.founders.size())));
}
}  // namespace

std::string LostText(const Birth& birth, const GroupMember& member) {
  const std::string grpc = member.grpc.empty() ? "" : " --grpc " + member.grpc;
  if (member.server == 0) {
    return fmt::format("the metaserver at {} has lost its directory", member.grpc);
  }
  return fmt::format(
      "metaserver {0} at {1} has lost its directory: it is not the member it was; take it out with "
      "'cairn meta remove {0}{3}' and in again with 'cairn meta add {1}{2}{3}'",
      member.server, member.address, grpc, birth.verb_options);
}

Result<BirthStep> PlanBirth(const Birth& birth, bool born_before, const Survey& survey) {
  RETURN_IF_ERROR(CheckSameCluster(birth, survey));
  const bool born =
      born_before || std::any_of(survey.begin(), survey.end(), [](const MemberAnswer& answer) {
        return !FoundedAs(answer).empty();
      });
  if (born) return PlanReturn(birth, survey);
  return PlanFirstBirth(birth, survey);
}

namespace {
Status Adopt(AdminClient& client, const Birth& birth, const v1::MetaserverMember& founder,
             Deadline deadline) {
  v1::AdoptMetaserverRequest request;
  request.set_cluster_id(birth.cluster_id);
  request.set_server(founder.server());
  for (const v1::MetaserverMember& each : birth.founders) *request.add_founders() = each;
  v1::AdoptMetaserverResponse response;
  return client.CallAt(GrpcOf(founder), "AdoptMetaserver", request, response,
                       client::Earlier(deadline, kPatientSurveyTime));
}

// The caller becomes the owner of /.
Status Found(AdminClient& client, const Birth& birth, Deadline deadline) {
  v1::FoundClusterRequest request;
  request.set_cluster_id(birth.cluster_id);
  request.set_copies(birth.copies);
  request.set_min_active(birth.min_active);
  request.set_root_uid(::geteuid());
  request.set_root_gid(::getegid());
  v1::FoundClusterResponse response;
  return client.CallLeader("FoundCluster", request, response, deadline);
}
}  // namespace

Result<BirthStep> TakeBirthStep(AdminClient& client, const Birth& birth, bool born_before,
                                Deadline deadline) {
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Survey survey = TakeSurvey(client, {"GetStatus", &request, &type},
                                   client::Earlier(deadline, kPatientSurveyTime));
  ASSIGN_OR_RETURN(BirthStep step, PlanBirth(birth, born_before, survey));
  Status done;
  for (const v1::MetaserverMember& founder : step.adopt) {
    if (done.ok()) done = Adopt(client, birth, founder, deadline);
  }
  if (step.kind == BirthStep::Kind::kFound) done = Found(client, birth, deadline);
  if (!done.ok() && !client::IsTransient(done.code())) return Fail(done);
  if (!done.ok()) return Wait(done.message());
  if (step.kind == BirthStep::Kind::kBorn || step.kind == BirthStep::Kind::kWait) return step;
  return Wait("no metaserver has said yet that the cluster is founded");
}

}  // namespace cairn
