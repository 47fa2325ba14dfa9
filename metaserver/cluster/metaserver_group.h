// The metaservers as a group: who is in it, how one comes in and goes out, who leads. What
// operators ask of it, in steps that can be repeated.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/admin.pb.h"
#include "cairn/v1/metadata.pb.h"
#include "cairn/v1/methods.pb.h"
#include "common/data_directory.h"
#include "common/serial_executor.h"
#include "common/status.h"
#include "metaserver/replicated_state.h"
#include "raft/raft_node.h"
#include "rpc/channel_pool.h"

namespace cairn {

struct MetaserverGroupParts {
  RaftNode* node = nullptr;
  ReplicatedState* state = nullptr;
  DataDirectory* directory = nullptr;
  ChannelPool* channels = nullptr;   // to other metaservers
  std::function<void()> on_adopted;  // this metaserver has an identity from now on
};

// Thread-safe. Its parts must outlive it.
class MetaserverGroup {
 public:
  explicit MetaserverGroup(MetaserverGroupParts parts) : parts_(std::move(parts)) {}

  // Makes this metaserver, which belongs to nobody, a member; durable on return. Again with the
  // same words is ok. kWrongCluster, kExists: it belongs to somebody; kInvalidArgument.
  Status Adopt(const v1::AdoptMetaserverRequest& request);

  // What this metaserver knows.
  v1::ListMetaserversResponse List() const;
  v1::FindLeaderResponse FindLeader() const;
  std::vector<v1::MetaserverMember> Members() const;
  raft::Membership membership() const { return parts_.node->Describe().core.membership; }

  // Takes the next step of adding a metaserver and says where it stands. kNotLeader.
  using Added = std::function<void(Result<v1::AddMetaserverResponse>)>;
  void Add(const v1::AddMetaserverRequest& request, Added done);
  // kNotFound: there never was one; kBelowMinActive: those left have no majority that is heard;
  // kInvalidArgument: it is the last one; kNotLeader.
  Result<v1::RemoveMetaserverResponse> Remove(const v1::RemoveMetaserverRequest& request);
  Status TransferLeader(const v1::TransferLeaderRequest& request);
  using Hashed = std::function<void(Result<v1::GetStateHashResponse>)>;
  void GetStateHash(const v1::GetStateHashRequest& request, Hashed done);

 private:
  Result<v1::AddMetaserverResponse> AdvanceMember(ServerId id);
  void Meet(const std::string& address, Added done);
  template <typename Response>
  void CallNewcomer(const std::string& address, v1::Method method,
                    std::shared_ptr<google::protobuf::Message> request,
                    std::function<void(Result<Response>)> done);
  static std::vector<v1::MetaserverMember> MembersOf(const raft::Membership& membership);
  void ForgetName(const std::string& address);
  void NameOrInvite(const std::string& address, Added done);
  void Name(const std::string& address, Added done);
  void Invite(ServerId id, const std::string& address, Added done);
  Result<v1::AddMetaserverResponse> AddLearner(ServerId id, const std::string& address);
  bool WasNamed(ServerId id) const;

  const MetaserverGroupParts parts_;
  absl::Mutex mu_;
  std::map<std::string, ServerId> named_ ABSL_GUARDED_BY(mu_);  // by address, not yet adopted
  SerialExecutor caller_{"meta-invite"};  // ends first: what it runs uses the rest
};

}  // namespace cairn
