#include "tests/support/fake_metaservers.h"

#include <utility>

namespace cairn::testing {

FakeMetaservers::FakeMetaservers(std::string directory, uint32_t count,
                                 const std::function<void(Dispatcher&)>& fill)
    : directory_(std::move(directory)) {
  fill(state_);
  for (uint32_t server = 1; server <= count; ++server) {
    auto door = std::make_unique<Dispatcher>();
    const google::protobuf::EnumDescriptor* methods = v1::Method_descriptor();
    for (int i = 0; i < methods->value_count(); ++i) {
      const auto method = static_cast<v1::Method>(methods->value(i)->number());
      door->HandleRaw(method, [this, server, method](std::shared_ptr<ServerCall> call) {
        Take(server, method, std::move(call));
      });
    }
    doors_[server] = std::move(door);
    Start(server);
  }
}

Address FakeMetaservers::Socket(uint32_t server) const {
  Address address;
  address.unix_path = directory_ + "/meta" + std::to_string(server) + ".sock";
  return address;
}

std::vector<Address> FakeMetaservers::Sockets() const {
  std::vector<Address> sockets;
  for (const auto& [server, door] : doors_) sockets.push_back(Socket(server));
  return sockets;
}

Address FakeMetaservers::Tcp(uint32_t server) const {
  absl::MutexLock lock(&mu_);
  return {"127.0.0.1", all_.at(server).port, ""};
}

void FakeMetaservers::Lead(uint32_t server) {
  absl::MutexLock lock(&mu_);
  leader_ = server;
}

void FakeMetaservers::Misname(uint32_t server, uint32_t leader) {
  absl::MutexLock lock(&mu_);
  all_[server].misnames = leader;
}

void FakeMetaservers::Pause(uint32_t server) {
  absl::MutexLock lock(&mu_);
  all_[server].paused = true;
}

void FakeMetaservers::Resume(uint32_t server) {
  std::vector<std::function<void()>> held;
  {
    absl::MutexLock lock(&mu_);
    all_[server].paused = false;
    held.swap(all_[server].held);
  }
  for (const auto& call : held) call();
}

void FakeMetaservers::Stop(uint32_t server) { listening_.erase(server); }

void FakeMetaservers::Start(uint32_t server) {
  FrameServerOptions options;
  options.unix_path = Socket(server).unix_path;
  options.listen.host = "127.0.0.1";
  options.hello.set_min_version(1);
  options.hello.set_max_version(1);
  options.hello.set_cluster_id("fake");
  options.hello.set_server(server);
  options.hello.set_role(v1::ROLE_METASERVER);
  auto listening = FrameServer::Start(options, *doors_.at(server));
  CAIRN_CHECK(listening.has_value());
  absl::MutexLock lock(&mu_);
  all_[server].port = (*listening)->port();
  listening_[server] = std::move(*listening);
}

void FakeMetaservers::StopAll() {
  {
    absl::MutexLock lock(&mu_);
    for (auto& [server, one] : all_) one.held.clear();
  }
  listening_.clear();
}

uint64_t FakeMetaservers::requests(uint32_t server) const {
  absl::MutexLock lock(&mu_);
  return all_.at(server).requests;
}

uint64_t FakeMetaservers::questions(uint32_t server) const {
  absl::MutexLock lock(&mu_);
  return all_.at(server).questions;
}

void FakeMetaservers::Take(uint32_t server, v1::Method method, std::shared_ptr<ServerCall> call) {
  {
    absl::MutexLock lock(&mu_);
    One& one = all_[server];
    ++(method == v1::METADATA_FIND_LEADER ? one.questions : one.requests);
    if (one.paused) {
      one.held.push_back([this, server, method, call] { Serve(server, method, call); });
      return;
    }
  }
  Serve(server, method, call);
}

void FakeMetaservers::Serve(uint32_t server, v1::Method method,
                            const std::shared_ptr<ServerCall>& call) {
  std::optional<v1::FindLeaderResponse> answer;
  bool leads = false;
  {
    absl::MutexLock lock(&mu_);
    leads = leader_ == server;
    if (method == v1::METADATA_FIND_LEADER) answer = FindLeader(server);
  }
  if (answer.has_value()) return call->Reply(*answer, {});
  if (leads) return state_.Dispatch(method, call);
  call->Fail(Status::Error(ErrorCode::kNotLeader, "metaserver {} does not lead", server));
}

v1::FindLeaderResponse FakeMetaservers::FindLeader(uint32_t server) const {
  v1::FindLeaderResponse answer;
  answer.set_server(server);
  const uint32_t misnames = all_.at(server).misnames;
  answer.set_leader(misnames != 0 ? misnames : leader_);
  for (const auto& [id, one] : all_) {
    v1::MetaserverMember& member = *answer.add_members();
    member.set_server(id);
    member.mutable_address()->mutable_frames()->set_host("127.0.0.1");
    member.mutable_address()->mutable_frames()->set_port(one.port);
  }
  return answer;
}

}  // namespace cairn::testing
