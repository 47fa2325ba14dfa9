// Metaservers that answer the Admin service over gRPC as a group of which the test says everything.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/admin.pb.h"
#include "cli/admin_client.h"
#include "cli/certificates.h"
#include "rpc/grpc_server.h"
#include "tests/cli/scratch_directory.h"

namespace cairn {

// One metaserver. What it answers is set under the group's mutex.
struct FakeMember {
  uint32_t id = 0;  // in the group; 0: none
  v1::ListMetaserversResponse says;
  v1::GetStatusResponse status;
  v1::GetHealthResponse health;
  v1::GetRepairResponse repair;
  v1::ListEventsResponse events;
  std::map<uint64_t, uint64_t> hashes;  // by index
  bool paused = false;
  int adopted = 0;                     // how often it was told
  std::deque<Status> adoption_errors;  // answered first, one each time
  v1::AdoptMetaserverRequest adoption;
  Dispatcher dispatcher;
  std::unique_ptr<GrpcServer> server;
  Address address;
};

// Processes 1 to n; as long as nobody adopts or founds they are empty. Thread-safe but for Stop.
class FakeGroup {
 public:
  FakeGroup(const std::string& tls_directory, int count);
  ~FakeGroup();

  // Makes all of them one founded group with ids 1 to n that follows `leader` (0: none).
  void BeFounded(const std::string& cluster_id, uint32_t leader);
  void Lead(uint32_t leader);
  // Its directory is empty.
  void LoseDirectory(int number);
  void Pause(int number);  // takes calls and does not answer
  void Stop(int number);

  std::string Addresses() const;  // gRPC, comma-separated
  // "127.0.0.1:FRAMES/GRPC,...", as 'cluster init' takes them; the frames are made up.
  std::string Founders() const;
  Address AddressOf(int number) const { return members_[static_cast<size_t>(number - 1)]->address; }
  ClusterAccess Access() const;

  // Does something with the state of one, from 1 on.
  void Change(int number, const std::function<void(FakeMember&)>& change);
  FakeMember& Peek(int number) { return *members_[static_cast<size_t>(number - 1)]; }

  // What the leader was asked, and what it answers.
  v1::FoundClusterRequest founded;
  int times_founded = 0;
  std::function<Result<v1::AddMetaserverResponse>(const v1::AddMetaserverRequest&)> on_add;
  std::function<Result<v1::RemoveMetaserverResponse>(const v1::RemoveMetaserverRequest&)> on_remove;
  std::function<Status(const v1::TransferLeaderRequest&)> on_transfer;
  uint64_t marked_index = 7;
  // Changes that are asked for; done unless a test says otherwise. They may change members.
  std::function<Status(const v1::SetServerRequest&)> on_set_server;
  std::function<Status(const v1::RemoveServerRequest&)> on_remove_server;
  v1::RemoveServerResponse removed;  // where that is ok
  std::function<Status(const v1::SetSettingsRequest&)> on_set_settings;
  std::function<Status(const v1::SkipGraceRequest&)> on_skip_grace;
  std::function<Result<v1::StartScrubResponse>(const v1::StartScrubRequest&)> on_start_scrub;
  std::function<Result<v1::CheckChunksResponse>(const v1::CheckChunksRequest&)> on_check_chunks;
  // Before one answers GetStatus.
  std::function<void(FakeMember&)> on_status = [](FakeMember&) {};

 private:
  void Serve(FakeMember& member);
  void ServeFleet(FakeMember& member);
  template <typename Request, typename Response>
  void Handle(FakeMember& member, v1::Method method, bool leader_only,
              std::function<Result<Response>(const Request&)> run);
  template <typename Request, typename Response>
  void HandleChange(FakeMember& member, v1::Method method,
                    std::function<Status(const Request&)>& run);
  bool IsLeader(const FakeMember& member) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return member.says.role() == "leader";
  }
  Result<v1::AdoptMetaserverResponse> Adopt(FakeMember& member,
                                            const v1::AdoptMetaserverRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Elect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string tls_directory_;
  absl::Mutex mu_;
  std::vector<std::unique_ptr<FakeMember>> members_;
  std::vector<std::function<void()>> held_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
