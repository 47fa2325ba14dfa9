#include "tests/simulation/client.h"

#include <algorithm>
#include <utility>

#include "metaserver/operations/replies.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/process.h"
#include "tests/simulation/request_id.h"

namespace cairn::simulation {

namespace {
constexpr size_t kMaxOutstandingRequests = 3;
constexpr char kSharedDirectory[] = "shared";
}  // namespace

Client::Client(World& world, Network& network, Members& members, uint64_t number, Time think_time)
    : world_(world),
      network_(network),
      members_(members),
      number_(number),
      think_time_(think_time),
      random_(world.plan.seed, kClientStream + number),
      files_(number) {}

void Client::Start() {
  FoundCluster();
}

void Client::FoundCluster() {
  v1::Command command;
  command.mutable_found_cluster()->set_cluster_id("simulation");
  command.mutable_found_cluster()->set_copies(1);
  Ask({std::move(command), {}, [this](const Reply&) {
         OpenSession();
         return std::string();
       }});
}

void Client::OpenSession() {
  v1::Command command;
  command.mutable_open_session()->set_client_id(
      fmt::format("client{}.{}", number_, ++sessions_had_));
  Ask({std::move(command), {}, [this](const Reply& reply) {
         session_ = reply.outcome.session();
         next_sequence_ = 1;
         MakeDirectories();
         return std::string();
       }});
}

void Client::MakeDirectories() {
  v1::Command shared;
  shared.mutable_make_directory()->set_parent(kRootInode.value);
  shared.mutable_make_directory()->set_name(kSharedDirectory);
  Ask({std::move(shared), {}, [](const Reply&) { return std::string(); }});
  v1::Command own;
  own.mutable_make_directory()->set_parent(kRootInode.value);
  own.mutable_make_directory()->set_name(files_.DirectoryName());
  Ask({std::move(own), {}, [this](const Reply&) {
         LookupRequest request;
         request.parent = kRootInode.value;
         request.name = files_.DirectoryName();
         Ask({request, {}, [this](const Reply& reply) {
                FindShared(reply.found.inode);
                return std::string(reply.found.inode == 0 ? "its directory is gone" : "");
              }});
         return std::string();
       }});
}

void Client::FindShared(uint64_t own) {
  LookupRequest request;
  request.parent = kRootInode.value;
  request.name = kSharedDirectory;
  Ask({request, {}, [this, own](const Reply& reply) {
         if (reply.found.inode == 0) {
           FindShared(own);  // not made yet
         } else {
           files_.UseDirectories(own, reply.found.inode);
           Think();
         }
         return std::string();
       }});
}

void Client::Think() {
  world_.scheduler.After(random_.Around(think_time_), [this, sessions = sessions_had_] {
    if (stopped_ || session_ == 0 || sessions != sessions_had_) return;
    if (outstanding_.size() < kMaxOutstandingRequests) {
      if (std::optional<Work> work = files_.Next(random_)) Ask(*std::move(work));
    }
    Think();
  });
}

void Client::Ask(Work work) {
  Outstanding request;
  request.asked = world_.scheduler.now();
  request.began = world_.client_rules.floor();
  if (auto* command = std::get_if<v1::Command>(&work.request)) {
    if (RequestIdOf(*command) != nullptr) request.sequence = next_sequence_++;
  }
  request.work = std::move(work);
  const uint64_t id = next_id_++;
  outstanding_.emplace(id, std::move(request));
  Send(id);
}

uint64_t Client::LowestUnanswered() const {
  uint64_t lowest = next_sequence_;
  for (const auto& [id, request] : outstanding_) {
    if (request.sequence != 0) lowest = std::min(lowest, request.sequence);
  }
  return lowest;
}

void Client::Send(uint64_t id) {
  Outstanding& request = outstanding_.at(id);
  const int attempt = ++request.attempt;
  const std::vector<ServerId> all = members_.Ids();
  const ServerId target = leader_.value != 0 ? leader_ : all[random_.Below(all.size())];
  SendTo(target, id, request);
  world_.scheduler.After(random_.Between(300ms, 1500ms), [this, id, attempt, target] {
    auto found = outstanding_.find(id);
    if (found == outstanding_.end() || found->second.attempt != attempt) return;
    if (leader_ == target) leader_ = ServerId(0);
    Send(id);
  });
}

void Client::SendTo(ServerId target, uint64_t id, const Outstanding& request) {
  const int attempt = request.attempt;
  Answer answer = [this, id, attempt, target](const Reply& reply) {
    network_.Carry([this, id, attempt, target, reply] { Hear(id, attempt, target, reply); });
  };
  if (const auto* read = std::get_if<LookupRequest>(&request.work.request)) {
    network_.Carry([this, target, read = *read, session = session_, answer]() mutable {
      Machine* machine = members_.Find(target);
      if (machine == nullptr) return;
      read.session = session;
      machine->Ask([machine, read, answer] { machine->process()->service().Read(read, answer); });
    });
    return;
  }
  v1::Command command = std::get<v1::Command>(request.work.request);
  if (request.sequence != 0) {
    v1::RequestId* request_id = MutableRequestId(command);
    request_id->set_session(session_);
    request_id->set_sequence(request.sequence);
    request_id->set_lowest_unanswered(LowestUnanswered());
  }
  network_.Carry([this, target, command = std::move(command), answer] {
    Machine* machine = members_.Find(target);
    if (machine == nullptr) return;
    machine->Ask(
        [machine, command, answer] { machine->process()->service().Change(command, answer); });
  });
}

void Client::Hear(uint64_t id, int attempt, ServerId from, const Reply& reply) {
  auto found = outstanding_.find(id);
  if (found == outstanding_.end()) return;  // answered before
  const auto outcome = static_cast<ErrorCode>(reply.outcome.code());
  const bool unfounded = outcome == ErrorCode::kUnavailable || outcome == ErrorCode::kBusy;
  if (reply.code == ErrorCode::kOk && outcome == ErrorCode::kUnknownSession) return LoseSession();
  if (reply.code == ErrorCode::kOk && !unfounded) return Finish(id, reply);
  if (reply.code == ErrorCode::kUnknownSession) return LoseSession();
  if (found->second.attempt == attempt) HearRefusal(id, from, reply);
}

void Client::HearRefusal(uint64_t id, ServerId from, const Reply& reply) {
  Outstanding& request = outstanding_.at(id);
  if (reply.code == ErrorCode::kNotLeader) {
    leader_ = reply.leader == from ? ServerId(0) : reply.leader;
  }
  const int attempt = ++request.attempt;  // its timer is off
  world_.scheduler.After(random_.Between(10ms, 100ms), [this, id, attempt] {
    auto found = outstanding_.find(id);
    if (found != outstanding_.end() && found->second.attempt == attempt) Send(id);
  });
}

void Client::Finish(uint64_t id, const Reply& reply) {
  const Outstanding request = std::move(outstanding_.at(id));
  outstanding_.erase(id);
  world_.trace.Add(11, number_, request.sequence, reply.outcome.code(), reply.found.inode);
  if (request.work.is_read()) {
    world_.client_rules.HeardRead(request.began, reply.index);
  } else {
    world_.client_rules.HeardChange(request.asked, request.began, reply.index, reply.outcome);
  }
  files_.Finish(request.work);
  const std::string wrong = request.work.finish(reply);
  if (wrong.empty()) return;
  world_.violations.Add("M3", fmt::format("client {}: {} (request {} of session {}, at {})",
                                          number_, wrong, request.sequence, session_, reply.index));
}

void Client::LoseSession() {
  world_.client_rules.SessionLost(session_);
  session_ = 0;
  for (auto& [id, request] : outstanding_) files_.GiveUp(request.work);
  outstanding_.clear();
  OpenSession();
}

}  // namespace cairn::simulation
