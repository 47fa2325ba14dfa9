// Surveys in a few words.
#pragma once

#include <string>
#include <vector>

#include "cli/survey.h"

namespace cairn {

// The metaserver with id K has gRPC port 1000 + K, whoever tells.
inline Address GrpcAddress(uint32_t server) {
  return {"127.0.0.1", static_cast<uint16_t>(1000 + server), ""};
}

inline void AddInfo(v1::ListMetaserversResponse& says, uint32_t server,
                    const std::string& part = "voter") {
  v1::MetaserverInfo& info = *says.add_members();
  info.set_server(server);
  info.set_part(part);
  info.mutable_address()->mutable_frames()->set_host("127.0.0.1");
  info.mutable_address()->mutable_frames()->set_port(2000 + server);
  info.mutable_address()->mutable_grpc()->set_host("127.0.0.1");
  info.mutable_address()->mutable_grpc()->set_port(1000 + server);
}

// It answers GetStatus too, with the state of cluster `founded`; empty: not founded yet.
inline MemberAnswer Asked(uint32_t port_of, const std::string& founded = "") {
  MemberAnswer answer;
  answer.address = GrpcAddress(port_of);
  auto status = std::make_shared<v1::GetStatusResponse>();
  status->set_cluster_id(founded);
  answer.answer = status;
  return answer;
}

inline MemberAnswer Unborn(uint32_t port_of) {
  MemberAnswer answer = Asked(port_of);
  answer.says.set_role("unborn");
  return answer;
}

inline MemberAnswer Silent(uint32_t port_of) {
  MemberAnswer answer;
  answer.address = GrpcAddress(port_of);
  answer.status = answer.answered = Status(ErrorCode::kUnavailable, "connection refused");
  return answer;
}

// Of cluster "c": voters 1 to `voters`; `leader` is whom it names, perhaps itself.
inline MemberAnswer Member(uint32_t server, uint32_t leader, uint32_t voters = 3) {
  MemberAnswer answer = Asked(server, "c");
  answer.says.set_cluster_id("c");
  answer.says.set_server(server);
  answer.says.set_role(server == leader ? "leader" : "follower");
  answer.says.set_leader(leader);
  answer.says.set_term(5);
  answer.says.set_last_index(100);
  answer.says.set_applied_index(90);
  for (uint32_t voter = 1; voter <= voters; ++voter) AddInfo(answer.says, voter);
  return answer;
}

// What a leader tells of another.
inline MemberAnswer WithMatch(MemberAnswer leader, uint32_t of, uint64_t match, bool heard = true) {
  for (v1::MetaserverInfo& info : *leader.says.mutable_members()) {
    if (info.server() != of) continue;
    info.set_match(match);
    info.set_heard(heard);
  }
  return leader;
}

}  // namespace cairn
