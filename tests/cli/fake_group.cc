#include "tests/cli/fake_group.h"

#include <algorithm>

namespace cairn {

namespace {
constexpr uint32_t kFirstFramesPort = 2000;

void ListAll(const std::vector<std::unique_ptr<FakeMember>>& all,
             v1::ListMetaserversResponse& says) {
  says.clear_members();
  for (const auto& member : all) {
    v1::MetaserverInfo& info = *says.add_members();
    info.set_server(member->id);
    info.set_part("voter");
    info.mutable_address()->mutable_frames()->set_host("127.0.0.1");
    info.mutable_address()->mutable_frames()->set_port(kFirstFramesPort + member->id);
    info.mutable_address()->mutable_grpc()->set_host("127.0.0.1");
    info.mutable_address()->mutable_grpc()->set_port(member->address.port);
    info.set_heard(true);
    info.set_match(says.last_index());
  }
}
}  // namespace

FakeGroup::FakeGroup(const std::string& tls_directory, int count) : tls_directory_(tls_directory) {
  EXPECT_TRUE(EnsureAuthority(tls_directory_, "Cairn test").ok());
  EXPECT_TRUE(EnsureCertificate(tls_directory_, "admin", "admin-test").has_value());
  for (int i = 0; i < count; ++i) {
    members_.push_back(std::make_unique<FakeMember>());
    members_.back()->says.set_role("unborn");
    Serve(*members_.back());
  }
}

FakeGroup::~FakeGroup() {
  {
    absl::MutexLock lock(&mu_);
    held_.clear();
  }
  for (const auto& member : members_) member->server.reset();
}

template <typename Request, typename Response>
void FakeGroup::Handle(FakeMember& member, v1::Method method, bool leader_only,
                       std::function<Result<Response>(const Request&)> run) {
  member.dispatcher.Handle<Request, Response>(
      method, [this, &member, leader_only, run](const auto& call) {
        absl::MutexLock lock(&mu_);
        if (member.paused) {
          held_.push_back([call] {});  // keeps it unanswered
        } else if (leader_only && !IsLeader(member)) {
          call.Fail(Status(ErrorCode::kNotLeader, "does not lead"));
        } else {
          call.Finish(run(call.request()));
        }
      });
}

template <typename Request, typename Response>
void FakeGroup::HandleChange(FakeMember& member, v1::Method method,
                             std::function<Status(const Request&)>& run) {
  Handle<Request, Response>(member, method, true,
                            [&run](const Request& request) -> Result<Response> {
                              if (run) RETURN_IF_ERROR(run(request));
                              return Response();
                            });
}

void FakeGroup::ServeFleet(FakeMember& member) {
  HandleChange<v1::SetServerRequest, v1::SetServerResponse>(member, v1::ADMIN_SET_SERVER,
                                                            on_set_server);
  Handle<v1::RemoveServerRequest, v1::RemoveServerResponse>(
      member, v1::ADMIN_REMOVE_SERVER, true,
      [this](const auto& request) -> Result<v1::RemoveServerResponse> {
        if (on_remove_server) RETURN_IF_ERROR(on_remove_server(request));
        return removed;
      });
  HandleChange<v1::SetSettingsRequest, v1::SetSettingsResponse>(member, v1::ADMIN_SET_SETTINGS,
                                                                on_set_settings);
  HandleChange<v1::SkipGraceRequest, v1::SkipGraceResponse>(member, v1::ADMIN_SKIP_GRACE,
                                                            on_skip_grace);
  Handle<v1::StartScrubRequest, v1::StartScrubResponse>(
      member, v1::ADMIN_START_SCRUB, true,
      [this](const auto& request) { return on_start_scrub(request); });
  Handle<v1::CheckChunksRequest, v1::CheckChunksResponse>(
      member, v1::ADMIN_CHECK_CHUNKS, true,
      [this](const auto& request) { return on_check_chunks(request); });
  Handle<v1::GetRepairRequest, v1::GetRepairResponse>(member, v1::ADMIN_GET_REPAIR, false,
                                                      [&](const auto&) { return member.repair; });
  Handle<v1::ListEventsRequest, v1::ListEventsResponse>(
      member, v1::ADMIN_LIST_EVENTS, false, [&](const auto& request) {
        v1::ListEventsResponse later;
        for (const v1::EventRecord& event : member.events.events()) {
          if (event.sequence() > request.after()) *later.add_events() = event;
        }
        return later;
      });
}

void FakeGroup::Serve(FakeMember& member) {
  const auto held = [this] { mu_.AssertHeld(); };
  Handle<v1::ListMetaserversRequest, v1::ListMetaserversResponse>(
      member, v1::ADMIN_LIST_METASERVERS, false, [&](const auto&) { return member.says; });
  Handle<v1::GetStatusRequest, v1::GetStatusResponse>(member, v1::ADMIN_GET_STATUS, false,
                                                      [this, &member](const auto&) {
                                                        on_status(member);
                                                        return member.status;
                                                      });
  Handle<v1::GetHealthRequest, v1::GetHealthResponse>(member, v1::ADMIN_GET_HEALTH, false,
                                                      [&](const auto&) { return member.health; });
  Handle<v1::AdoptMetaserverRequest, v1::AdoptMetaserverResponse>(
      member, v1::ADMIN_ADOPT_METASERVER, false, [this, &member, held](const auto& request) {
        held();
        return Adopt(member, request);
      });
  Handle<v1::FoundClusterRequest, v1::FoundClusterResponse>(
      member, v1::ADMIN_FOUND_CLUSTER, true,
      [this](const auto& request) -> Result<v1::FoundClusterResponse> {
        founded = request;
        ++times_founded;
        for (const auto& each : members_) each->status.set_cluster_id(request.cluster_id());
        return v1::FoundClusterResponse();
      });
  Handle<v1::AddMetaserverRequest, v1::AddMetaserverResponse>(
      member, v1::ADMIN_ADD_METASERVER, true,
      [this](const auto& request) { return on_add(request); });
  Handle<v1::RemoveMetaserverRequest, v1::RemoveMetaserverResponse>(
      member, v1::ADMIN_REMOVE_METASERVER, true,
      [this](const auto& request) { return on_remove(request); });
  Handle<v1::TransferLeaderRequest, v1::TransferLeaderResponse>(
      member, v1::ADMIN_TRANSFER_LEADER, true,
      [this](const auto& request) -> Result<v1::TransferLeaderResponse> {
        RETURN_IF_ERROR(on_transfer(request));
        return v1::TransferLeaderResponse();
      });
  Handle<v1::GetStateHashRequest, v1::GetStateHashResponse>(
      member, v1::ADMIN_GET_STATE_HASH, false,
      [this, &member](const auto& request) -> Result<v1::GetStateHashResponse> {
        if (request.index() == 0 && member.says.role() != "leader") {
          return Fail(ErrorCode::kNotLeader, "does not lead");
        }
        v1::GetStateHashResponse response;
        response.set_index(request.index() == 0 ? marked_index : request.index());
        const auto hash = member.hashes.find(response.index());
        if (hash == member.hashes.end()) return Fail(ErrorCode::kNotFound, "not applied yet");
        response.set_hash(hash->second);
        response.set_server(member.id);
        return response;
      });
  ServeFleet(member);
  const auto files = EnsureCertificate(tls_directory_, "meta1", "metaserver-meta1");
  GrpcServerOptions options;
  options.listen.host = "127.0.0.1";
  options.tls = *TlsContext::Load(*files);
  options.services = {"cairn.v1.Admin"};
  auto server = GrpcServer::Start(options, member.dispatcher);
  CAIRN_CHECK(server.has_value());
  member.server = std::move(*server);
  member.address = {"127.0.0.1", member.server->port(), ""};
}

Result<v1::AdoptMetaserverResponse> FakeGroup::Adopt(FakeMember& member,
                                                     const v1::AdoptMetaserverRequest& request) {
  if (!member.adoption_errors.empty()) {
    const Status status = member.adoption_errors.front();
    member.adoption_errors.pop_front();
    return Fail(status);
  }
  ++member.adopted;
  member.adoption = request;
  member.id = request.server();
  member.says.set_cluster_id(request.cluster_id());
  member.says.set_server(request.server());
  member.says.set_role("follower");
  Elect();
  return v1::AdoptMetaserverResponse();
}

// A majority of the founders is enough, as in life.
void FakeGroup::Elect() {
  std::vector<FakeMember*> born;
  for (const auto& member : members_) {
    if (member->id != 0) born.push_back(member.get());
  }
  const auto founders = static_cast<size_t>(born.at(0)->adoption.founders_size());
  if (born.size() <= founders / 2) return;
  for (FakeMember* member : born) {
    member->says.set_role(member == born[0] ? "leader" : "follower");
    member->says.set_leader(born[0]->id);
    member->says.set_term(1);
    member->says.clear_members();
    for (const v1::MetaserverMember& founder : born[0]->adoption.founders()) {
      v1::MetaserverInfo& info = *member->says.add_members();
      info.set_server(founder.server());
      info.set_part("voter");
      *info.mutable_address() = founder.address();
      info.set_heard(true);
    }
  }
}

void FakeGroup::BeFounded(const std::string& cluster_id, uint32_t leader) {
  absl::MutexLock lock(&mu_);
  uint32_t id = 0;
  for (const auto& member : members_) member->id = ++id;
  for (const auto& member : members_) {
    member->says.set_cluster_id(cluster_id);
    member->says.set_server(member->id);
    member->says.set_last_index(100);
    member->says.set_applied_index(100);
    member->status.set_cluster_id(cluster_id);
    member->status.mutable_metaserver()->set_server(member->id);
    ListAll(members_, member->says);
    member->says.set_term(3);
    member->says.set_leader(leader);
    member->says.set_role(member->id == leader ? "leader" : "follower");
    member->status.mutable_metaserver()->set_role(member->says.role());
  }
}

void FakeGroup::Lead(uint32_t leader) {
  absl::MutexLock lock(&mu_);
  for (const auto& member : members_) {
    member->says.set_term(member->says.term() + 1);
    member->says.set_leader(leader);
    member->says.set_role(member->id == leader ? "leader" : "follower");
    member->status.mutable_metaserver()->set_role(member->says.role());
  }
}

void FakeGroup::LoseDirectory(int number) {
  Change(number, [](FakeMember& member) {
    member.says.Clear();
    member.says.set_role("unborn");
    member.status.Clear();
    member.status.mutable_metaserver()->set_role("unborn");
  });
}

void FakeGroup::Pause(int number) {
  Change(number, [](FakeMember& member) { member.paused = true; });
}

void FakeGroup::Stop(int number) {
  Peek(number).server.reset();
}

void FakeGroup::Change(int number, const std::function<void(FakeMember&)>& change) {
  absl::MutexLock lock(&mu_);
  change(Peek(number));
}

std::string FakeGroup::Addresses() const {
  std::string text;
  for (const auto& member : members_) {
    text += (text.empty() ? "" : ",") + member->address.ToString();
  }
  return text;
}

std::string FakeGroup::Founders() const {
  std::string text;
  for (size_t i = 0; i < members_.size(); ++i) {
    text += fmt::format("{}127.0.0.1:{}/{}", i == 0 ? "" : ",", kFirstFramesPort + i + 1,
                        members_[i]->address.port);
  }
  return text;
}

ClusterAccess FakeGroup::Access() const {
  ClusterAccess access;
  for (const auto& member : members_) access.metaservers.push_back(member->address);
  access.tls = CertificateFiles(tls_directory_, "admin");
  return access;
}

}  // namespace cairn
