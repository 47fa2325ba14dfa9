// Three chunkservers in one process: real replication over stores in memory and a network the test
// commands. The test plays the metaserver: it owns the map and every server's lease.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "chunkserver/local/local_page.h"
#include "chunkserver/replication/replica.h"
#include "common/clock.h"
#include "tests/chunkserver/replication/in_process_peers.h"
#include "tests/support/fake_chunk_store.h"
#include "tests/support/open_gate.h"

namespace cairn {

inline constexpr PgId kGroup{7};
inline constexpr ServerId kA{1};
inline constexpr ServerId kB{2};
inline constexpr ServerId kC{3};
inline constexpr ChunkId kChunk{InodeId(5), 0};
inline constexpr uint32_t kTestChunkSize = kMinChunkSize;

inline std::string Block(char c) {
  return std::string(kBlockSize, c);
}

// The answer to a call under way.
class Answer {
 public:
  void Set(Result<RawReply> reply);
  bool done();
  // Fails the test's patience after ten seconds with kDeadlineExceeded.
  Result<RawReply> Get();
  ErrorCode code();

 private:
  absl::Mutex mu_;
  std::optional<Result<RawReply>> reply_ ABSL_GUARDED_BY(mu_);
};
using AnswerPtr = std::shared_ptr<Answer>;

// True once `condition` holds, false after ten seconds.
bool Eventually(const std::function<bool()>& condition);

class ReplicationCluster {
 public:
  ReplicationCluster();
  ~ReplicationCluster();

  struct Row {
    ServerId server;
    bool active = true;
    bool leaving = false;
  };
  // A new epoch with these members; those active are meant as they run now. Its primary has to
  // have it activated.
  void SetGroup(const std::vector<Row>& rows, uint32_t min_active = 1);
  // The same, begun again from copies that had lost power; in which epoch.
  uint64_t SetGroupAfterPowerLoss(const std::vector<Row>& rows);
  void Publish();  // to all that run
  void OrderScrub(uint64_t order);  // of every server
  void ThrottleCopies(uint64_t bytes_per_second);
  uint64_t epoch() const;
  bool IsActive(ServerId server);
  void WaitReady(ServerId primary);

  void Kill(ServerId server);
  void Start(ServerId server);  // a new incarnation on the same disk
  // It runs again, on this store from now on; `page` counts its changes. Both outlive the cluster.
  void Replace(ServerId server, ChunkStore& store, LocalPage& page);

  FakeChunkStore& store(ServerId server) { return servers_.at(server)->store; }
  GroupTable& table(ServerId server) { return *servers_.at(server)->table; }
  Replica& replica(ServerId server) { return *servers_.at(server)->replica; }
  Network& network() { return network_; }
  ManualClock& clock() { return clock_; }
  // The metaserver does not hear of members that are synced.
  void HoldSynced(bool hold);
  // Nor of epochs that are to be activated.
  void HoldActivations(bool hold);
  // Those that said they knew the epoch when it was activated last.
  std::vector<ServerId> heard();
  int activations_asked();  // how often, held or not
  std::vector<v1::ReportMemberRequest> reports();
  // Called before a member is made active.
  void OnSynced(std::function<void(ServerId)> hook) { on_synced_ = std::move(hook); }

  // Who those below come from, as far as the carrier can tell.
  void CallAs(PeerIdentity caller) { caller_ = std::move(caller); }
  // As a client with session 99.
  AnswerPtr Write(ServerId at, ChunkId id, uint32_t offset, const std::string& bytes,
                  uint64_t sequence, std::optional<uint64_t> epoch = std::nullopt);
  AnswerPtr Read(ServerId at, ChunkId id, uint32_t offset, uint32_t length, bool must_exist = false,
                 Duration patience = std::chrono::seconds(10),
                 std::optional<uint64_t> epoch = std::nullopt);
  // `oldest`: the epoch of the oldest write it is to cover; none given: the present one.
  AnswerPtr Sync(ServerId at, ChunkId id, std::optional<uint64_t> oldest = std::nullopt);
  AnswerPtr Remove(ServerId at, ChunkId id);
  AnswerPtr Call(ServerId at, v1::Method method, const google::protobuf::MessageLite& request,
                 Payload payload = {}, ServerId from = ServerId(),
                 Duration patience = std::chrono::seconds(10));
  v1::ChunkAddress Address(ChunkId id, std::optional<uint64_t> epoch = std::nullopt) const;

 private:
  struct Reports;
  struct Server {
    FakeChunkStore store;
    ChunkStore* used = &store;
    LocalPage* page = nullptr;
    uint64_t incarnation = 0;
    std::unique_ptr<GroupTable> table;
    std::unique_ptr<InProcessPeers> peers;
    std::unique_ptr<Replica> replica;
    std::unique_ptr<OpenGate> gate;
    std::unique_ptr<Dispatcher> dispatcher;
  };
  v1::ClusterMap Map() const;
  Status MemberSynced(PgId group, Epoch epoch, ServerId member, Incarnation incarnation);
  Status ActivateGroup(Epoch epoch, const std::vector<ServerId>& heard);

  ManualClock clock_;
  PeerIdentity caller_;
  Network network_;
  std::unique_ptr<Reports> reports_;
  std::map<ServerId, std::unique_ptr<Server>> servers_;
  std::function<void(ServerId)> on_synced_;
  mutable absl::Mutex mu_;
  v1::PlacementGroup group_ ABSL_GUARDED_BY(mu_);
  uint32_t min_active_ ABSL_GUARDED_BY(mu_) = 1;
  uint64_t scrub_order_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t copy_bytes_per_second_ ABSL_GUARDED_BY(mu_) = 0;
  bool hold_synced_ ABSL_GUARDED_BY(mu_) = false;
  bool hold_activations_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<ServerId> heard_ ABSL_GUARDED_BY(mu_);
  int activations_asked_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<ServerId> running_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::ReportMemberRequest> reported_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
