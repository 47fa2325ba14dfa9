#include "metaserver/cluster/metaserver_group.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "common/logging.h"
#include "metaserver/cluster/metaserver_address.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {

constexpr int kMaxMetaservers = 9;
constexpr uint64_t kCloseEnough = 1000;  // entries behind which a learner may become a voter
constexpr Duration kMeetTime = std::chrono::seconds(2);

const char* RoleOf(const RaftNodeStatus& status) {
  if (!status.in_group) return "unborn";
  switch (status.core.role) {
    case raft::RoleKind::kLeader:
      return "leader";
    case raft::RoleKind::kCandidate:
      return "candidate";
    case raft::RoleKind::kPreCandidate:
    case raft::RoleKind::kFollower:
      break;
  }
  if (status.core.membership.learners.contains(status.self)) return "learner";
  return status.core.role == raft::RoleKind::kFollower ? "follower" : "candidate";
}

const char* PartOf(const raft::Membership& membership, ServerId id) {
  if (membership.voters.contains(id)) return "voter";
  return membership.learners.contains(id) ? "learner" : "outgoing";
}

const raft::CoreStatus::Peer* FindPeer(const raft::CoreStatus& core, ServerId id) {
  for (const raft::CoreStatus::Peer& peer : core.peers) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

Result<raft::Members> FoundersOf(const v1::AdoptMetaserverRequest& request) {
  raft::Members founders;
  for (const v1::MetaserverMember& member : request.founders()) {
    ASSIGN_OR_RETURN(const std::string address, FormatMetaserver(member.address()));
    if (member.server() == 0 || !founders.emplace(ServerId(member.server()), address).second) {
      return Fail(ErrorCode::kInvalidArgument, "founder {} twice, or without an id",
                  member.server());
    }
  }
  if (founders.size() > kMaxMetaservers) {
    return Fail(ErrorCode::kInvalidArgument, "{} metaservers, at most {}", founders.size(),
                kMaxMetaservers);
  }
  if (!founders.empty() && !founders.contains(ServerId(request.server()))) {
    return Fail(ErrorCode::kInvalidArgument, "{} is not among the founders", request.server());
  }
  return founders;
}

}  // namespace

Status MetaserverGroup::Adopt(const v1::AdoptMetaserverRequest& request) {
  if (request.server() == 0 || request.cluster_id().empty() ||
      request.cluster_id().size() > kMaxClusterIdBytes) {
    return Status(ErrorCode::kInvalidArgument, "an adoption names cluster and server");
  }
  ASSIGN_OR_RETURN(const raft::Members founders, FoundersOf(request));
  const DataIdentity identity = parts_.directory->identity();
  if (!identity.cluster_id.empty() && identity.cluster_id != request.cluster_id()) {
    return Status::Error(ErrorCode::kWrongCluster, "this metaserver belongs to cluster {}",
                         identity.cluster_id);
  }
  // The log first: an identity without a log is one that has lost it (rule M4).
  RETURN_IF_ERROR(parts_.node->Adopt(ServerId(request.server()), founders));
  RETURN_IF_ERROR(parts_.directory->SetIdentity(request.cluster_id(), ServerId(request.server())));
  LOG_INFO("adopted cluster={} server={}", request.cluster_id(), request.server());
  if (parts_.on_adopted) parts_.on_adopted();
  return OkStatus();
}

std::vector<v1::MetaserverMember> MetaserverGroup::Members() const {
  return MembersOf(membership());
}

std::vector<v1::MetaserverMember> MetaserverGroup::MembersOf(const raft::Membership& membership) {
  std::vector<v1::MetaserverMember> members;
  for (ServerId id : membership.All()) {
    v1::MetaserverMember& member = members.emplace_back();
    member.set_server(id.value);
    if (auto address = ParseMetaserver(*membership.AddressOf(id))) {
      *member.mutable_address() = *std::move(address);
    }
  }
  return members;
}

v1::FindLeaderResponse MetaserverGroup::FindLeader() const {
  const RaftNodeStatus status = parts_.node->Describe();
  v1::FindLeaderResponse response;
  response.set_server(status.self.value);
  response.set_leader(status.core.leader.value);
  for (v1::MetaserverMember& member : MembersOf(status.core.membership)) {
    *response.add_members() = std::move(member);
  }
  return response;
}

v1::ListMetaserversResponse MetaserverGroup::List() const {
  const RaftNodeStatus status = parts_.node->Describe();
  v1::ListMetaserversResponse response;
  response.set_cluster_id(parts_.directory->identity().cluster_id);
  response.set_server(status.self.value);
  response.set_role(RoleOf(status));
  response.set_term(status.core.term.value);
  response.set_leader(status.core.leader.value);
  response.set_last_index(status.core.last_index.value);
  response.set_commit_index(status.core.commit.value);
  response.set_applied_index(status.applied.value);
  response.set_changing(status.core.changing);
  response.set_trouble(status.trouble);
  response.set_leader_silent_ms(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(status.leader_silence).count()));
  for (v1::MetaserverMember& member : MembersOf(status.core.membership)) {
    const ServerId id(member.server());
    v1::MetaserverInfo& info = *response.add_members();
    info.set_server(id.value);
    *info.mutable_address() = std::move(*member.mutable_address());
    info.set_part(PartOf(status.core.membership, id));
    if (const auto* peer = FindPeer(status.core, id)) {
      info.set_heard(peer->active);
      info.set_match(peer->match.value);
      info.set_needs_snapshot(peer->needs_snapshot);
    } else if (id == status.self) {
      info.set_heard(true);
      info.set_match(status.core.persisted.value);
    }
  }
  return response;
}

bool MetaserverGroup::WasNamed(ServerId id) const {
  const Result<v1::StateRecord> state = LoadState(*parts_.state->View());
  return state && id.value != 0 && id.value < state->next_metaserver();
}

void MetaserverGroup::Add(const v1::AddMetaserverRequest& request, Added done) {
  const Result<std::string> address = FormatMetaserver(request.address());
  if (!address) return done(Fail(address.error()));
  if (!parts_.state->Serves()) return done(Fail(ErrorCode::kNotLeader, "not leading"));
  const raft::Membership membership = this->membership();
  for (ServerId id : membership.All()) {
    if (*membership.AddressOf(id) == *address) return done(AdvanceMember(id));
  }
  if (membership.All().size() >= kMaxMetaservers) {
    return done(
        Fail(ErrorCode::kInvalidArgument, "a group has at most {} metaservers", kMaxMetaservers));
  }
  Meet(*address, std::move(done));
}

// It is in the group: a learner that has the log becomes a voter.
Result<v1::AddMetaserverResponse> MetaserverGroup::AdvanceMember(ServerId id) {
  const raft::CoreStatus core = parts_.node->Describe().core;
  const raft::CoreStatus::Peer* peer = FindPeer(core, id);
  v1::AddMetaserverResponse response;
  response.set_server(id.value);
  const bool promised = core.changing && core.membership.voters.contains(id);
  response.set_part(promised ? "learner" : PartOf(core.membership, id));
  const uint64_t has = peer == nullptr ? core.last_index.value : peer->match.value;
  response.set_entries_behind(core.last_index.value - std::min(has, core.last_index.value));
  const auto learner = core.membership.learners.find(id);
  if (learner == core.membership.learners.end() || peer == nullptr || !peer->active ||
      peer->needs_snapshot || peer->match.value == 0 || response.entries_behind() > kCloseEnough) {
    return response;
  }
  raft::Members voters = core.membership.voters;
  raft::Members learners = core.membership.learners;
  voters.insert(*learner);
  learners.erase(id);
  const Status status = parts_.node->ProposeMembership(std::move(voters), std::move(learners));
  if (!status.ok() && status.code() != ErrorCode::kBusy) return Fail(status);
  return response;
}

// Calls the metaserver at `address`, on a thread that may wait for the network.
template <typename Response>
void MetaserverGroup::CallNewcomer(const std::string& address, v1::Method method,
                                   std::shared_ptr<google::protobuf::Message> request,
                                   std::function<void(Result<Response>)> done) {
  const Result<v1::MetaserverAddress> parsed = ParseMetaserver(address);
  if (!parsed) return done(Fail(parsed.error()));
  caller_.Run([this, target = ChooseAddress(parsed->frames()), method, request = std::move(request),
               done = std::move(done)] {
    const Result<Response> answer =
        parts_.channels->Get(target)->Call<Response>(method, *request, Deadline::After(kMeetTime));
    if (answer) return done(answer);
    const Status& why = answer.error();
    if (why.code() == ErrorCode::kUnavailable) {
      return done(Fail(ErrorCode::kNotFound, "the metaserver at {} does not answer: {}",
                       target.ToString(), why.message()));
    }
    // A slow one may answer the next time.
    const bool slow = why.code() == ErrorCode::kDeadlineExceeded;
    done(Fail(slow ? ErrorCode::kBusy : why.code(), "the metaserver at {}: {}", target.ToString(),
              why.message()));
  });
}

// Asks the newcomer who it is: it may have been adopted by an attempt that was cut short.
void MetaserverGroup::Meet(const std::string& address, Added done) {
  using Known = v1::ListMetaserversResponse;
  CallNewcomer<Known>(
      address, v1::ADMIN_LIST_METASERVERS, std::make_shared<v1::ListMetaserversRequest>(),
      [this, address, done = std::move(done)](const Result<Known>& known) mutable {
        if (!known) return done(Fail(known.error()));
        const std::string& cluster = known->cluster_id();
        if (cluster.empty()) return NameOrInvite(address, std::move(done));
        const ServerId id(known->server());
        if (cluster != parts_.directory->identity().cluster_id || !WasNamed(id) ||
            membership().Contains(id)) {
          return done(Fail(ErrorCode::kWrongCluster,
                           "the metaserver there is number {} of cluster {}", id, cluster));
        }
        ForgetName(address);
        done(AddLearner(id, address));
      });
}

void MetaserverGroup::NameOrInvite(const std::string& address, Added done) {
  ServerId id;
  {
    absl::MutexLock lock(&mu_);
    if (const auto named = named_.find(address); named != named_.end()) id = named->second;
  }
  id == ServerId() ? Name(address, std::move(done)) : Invite(id, address, std::move(done));
}

// The invitation is the next call's: this one is answered by the thread that applies, which must
// not wait for a network.
void MetaserverGroup::Name(const std::string& address, Added done) {
  v1::Command command;
  command.mutable_name_metaserver();
  parts_.state->Propose(std::move(command), [this, address, done = std::move(done)](
                                                const Result<v1::Outcome>& outcome) mutable {
    if (Status status = StatusOfOutcome(outcome); !status.ok()) return done(Fail(status));
    {
      absl::MutexLock lock(&mu_);
      named_[address] = ServerId(outcome->server());
    }
    v1::AddMetaserverResponse response;
    response.set_server(outcome->server());
    response.set_part("named");
    done(response);
  });
}

// It has it; who comes in at this address later is another one (rule M4).
void MetaserverGroup::ForgetName(const std::string& address) {
  absl::MutexLock lock(&mu_);
  named_.erase(address);
}

// Until it has answered it keeps the name it was given: it may be adopted without having said so.
void MetaserverGroup::Invite(ServerId id, const std::string& address, Added done) {
  auto request = std::make_shared<v1::AdoptMetaserverRequest>();
  request->set_cluster_id(parts_.directory->identity().cluster_id);
  request->set_server(id.value);
  CallNewcomer<v1::AdoptMetaserverResponse>(address, v1::ADMIN_ADOPT_METASERVER, std::move(request),
                                            [this, id, address, done = std::move(done)](
                                                const Result<v1::AdoptMetaserverResponse>& reply) {
                                              if (!reply) return done(Fail(reply.error()));
                                              ForgetName(address);
                                              done(AddLearner(id, address));
                                            });
}

Result<v1::AddMetaserverResponse> MetaserverGroup::AddLearner(ServerId id,
                                                              const std::string& address) {
  const raft::CoreStatus core = parts_.node->Describe().core;
  raft::Members learners = core.membership.learners;
  learners.emplace(id, address);
  RETURN_IF_ERROR(parts_.node->ProposeMembership(core.membership.voters, std::move(learners)));
  LOG_INFO("a metaserver is added as a learner server={} address=\"{}\"", id, address);
  v1::AddMetaserverResponse response;
  response.set_server(id.value);
  response.set_part("learner");
  response.set_entries_behind(core.last_index.value);
  return response;
}

Result<v1::RemoveMetaserverResponse> MetaserverGroup::Remove(
    const v1::RemoveMetaserverRequest& request) {
  if (!parts_.state->Serves()) return Fail(ErrorCode::kNotLeader, "not leading");
  const ServerId id(request.server());
  const RaftNodeStatus status = parts_.node->Describe();
  v1::RemoveMetaserverResponse response;
  if (!status.core.membership.Contains(id)) {
    if (!WasNamed(id)) return Fail(ErrorCode::kNotFound, "there is no metaserver {}", id);
    response.set_gone(!status.core.changing);
    return response;
  }
  raft::Members voters = status.core.membership.voters;
  raft::Members learners = status.core.membership.learners;
  voters.erase(id);
  learners.erase(id);
  const raft::Membership left{voters, {}, {}};
  const auto heard = [&](ServerId other) {
    const auto* peer = FindPeer(status.core, other);
    return other == status.self || (peer != nullptr && peer->active);
  };
  if (voters.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "metaserver {} is the last one", id);
  }
  // The change itself needs their majority: without it nobody could lead any more.
  if (!left.HasQuorum(heard)) {
    return Fail(
        ErrorCode::kBelowMinActive,
        "without metaserver {} no majority of those left would be heard: bring one back first", id);
  }
  const Status proposed = parts_.node->ProposeMembership(std::move(voters), std::move(learners));
  if (!proposed.ok() && proposed.code() != ErrorCode::kBusy) return Fail(proposed);
  return response;
}

Status MetaserverGroup::TransferLeader(const v1::TransferLeaderRequest& request) {
  return parts_.node->TransferLeadership(ServerId(request.server()));
}

void MetaserverGroup::GetStateHash(const v1::GetStateHashRequest& request, Hashed done) {
  v1::GetStateHashResponse response;
  response.set_server(parts_.directory->identity().server.value);
  if (request.index() != 0) {
    response.set_index(request.index());
    const std::optional<uint64_t> hash = parts_.state->HashAt(LogIndex(request.index()));
    if (!hash) return done(Fail(ErrorCode::kNotFound, "no mark at {} is known", request.index()));
    response.set_hash(*hash);
    return done(response);
  }
  v1::Command command;
  command.mutable_mark_hash();
  parts_.state->Propose(std::move(command), [response, done = std::move(done)](
                                                const Result<v1::Outcome>& outcome) mutable {
    if (Status status = StatusOfOutcome(outcome); !status.ok()) return done(Fail(status));
    response.set_index(outcome->index());
    response.set_hash(outcome->state_hash());
    done(response);
  });
}

}  // namespace cairn
