#include "tests/chunkserver/replication/replication_cluster.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "chunkserver/service/chunk_service.h"
#include "common/crc32c.h"

namespace cairn {
namespace {
constexpr Duration kPatience = std::chrono::seconds(10);
constexpr uint64_t kSession = 99;
}  // namespace

void Answer::Set(Result<RawReply> reply) {
  absl::MutexLock lock(&mu_);
  reply_ = std::move(reply);
}

bool Answer::done() {
  absl::MutexLock lock(&mu_);
  return reply_.has_value();
}

Result<RawReply> Answer::Get() {
  absl::MutexLock lock(&mu_);
  auto answered = [this] {
    mu_.AssertReaderHeld();
    return reply_.has_value();
  };
  if (!mu_.AwaitWithTimeout(absl::Condition(&answered), absl::FromChrono(kPatience))) {
    return Fail(ErrorCode::kDeadlineExceeded, "the test waited too long");
  }
  return *reply_;
}

ErrorCode Answer::code() {
  const Result<RawReply> reply = Get();
  return reply.has_value() ? ErrorCode::kOk : reply.error().code();
}

bool Eventually(const std::function<bool()>& condition) {
  const Deadline deadline = Deadline::After(kPatience);
  while (!condition()) {
    if (deadline.Passed()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

struct ReplicationCluster::Reports final : ClusterReports {
  explicit Reports(ReplicationCluster& the_cluster) : cluster(the_cluster) {}
  void ReportMember(PgId group, Epoch epoch, ServerId accused, v1::MemberFault fault,
                    const std::string& reason) override {
    v1::ReportMemberRequest report;
    report.set_group(group.value);
    report.set_epoch(epoch.value);
    report.set_accused(accused.value);
    report.set_fault(fault);
    report.set_reason(reason);
    absl::MutexLock lock(&cluster.mu_);
    cluster.reported_.push_back(report);
  }
  Status MemberSynced(PgId group, Epoch epoch, ServerId member, Incarnation incarnation) override {
    return cluster.MemberSynced(group, epoch, member, incarnation);
  }
  Status ActivateGroup(PgId, Epoch epoch, const std::vector<ServerId>& heard) override {
    return cluster.ActivateGroup(epoch, heard);
  }
  ReplicationCluster& cluster;
};

ReplicationCluster::ReplicationCluster() : reports_(std::make_unique<Reports>(*this)) {
  for (const ServerId id : {kA, kB, kC}) servers_[id] = std::make_unique<Server>();
  for (const ServerId id : {kA, kB, kC}) Start(id);
}

ReplicationCluster::~ReplicationCluster() {
  network_.ReleaseAll();
  for (const auto& [id, server] : servers_) {
    if (server->replica != nullptr) Kill(id);
  }
}

void ReplicationCluster::Kill(ServerId id) {
  {
    absl::MutexLock lock(&mu_);
    running_.erase(id);
  }
  for (const auto& [other, unused] : servers_) {
    network_.Cut(id, other);
    network_.Cut(other, id);
  }
  network_.SetServer(id, nullptr);
  Server& server = *servers_.at(id);
  server.replica->Stop();
  server.peers->Close();
  server.replica.reset();
}

void ReplicationCluster::Replace(ServerId id, ChunkStore& store, LocalPage& page) {
  Kill(id);
  servers_.at(id)->used = &store;
  servers_.at(id)->page = &page;
  Start(id);
}

void ReplicationCluster::Start(ServerId id) {
  Server& server = *servers_.at(id);
  server.dispatcher = std::make_unique<Dispatcher>();
  server.table = std::make_unique<GroupTable>(clock_);
  server.table->Watch(server.page);
  server.table->SetSelf(id, Incarnation(++server.incarnation));
  server.table->ExtendLease(clock_.Now() + timing::kChunkLease);
  server.peers = std::make_unique<InProcessPeers>(network_, id);
  ChunkChanges& changes = server.page != nullptr ? *server.page : NoChunkChanges();
  server.replica =
      std::make_unique<Replica>(*server.used, *server.table, *server.peers, *reports_, changes);
  // Whoever wants the map gets what is published.
  server.table->OnWantRefresh([table = server.table.get()] { table->Apply({}, true); });
  server.replica->Start();
  server.gate = std::make_unique<OpenGate>(server.replica->context().fences);
  RegisterChunkService(*server.dispatcher, *server.replica, *server.gate);
  for (const auto& [other, unused] : servers_) {
    network_.Cut(id, other, false);
    network_.Cut(other, id, false);
  }
  network_.SetServer(id, server.dispatcher.get());
  absl::MutexLock lock(&mu_);
  running_.insert(id);
}

void ReplicationCluster::OrderScrub(uint64_t order) {
  {
    absl::MutexLock lock(&mu_);
    scrub_order_ = order;
  }
  Publish();
}

void ReplicationCluster::ThrottleCopies(uint64_t bytes_per_second) {
  {
    absl::MutexLock lock(&mu_);
    copy_bytes_per_second_ = bytes_per_second;
  }
  Publish();
}

v1::ClusterMap ReplicationCluster::Map() const {
  absl::MutexLock lock(&mu_);
  v1::ClusterMap map;
  map.set_version(group_.changed_at());
  *map.add_groups() = group_;
  v1::Pool& pool = *map.add_pools();
  pool.set_id(group_.pool());
  pool.set_min_active(min_active_);
  for (const auto& [id, server] : servers_) {
    v1::ServerAddress& address = *map.add_servers();
    address.set_server(id.value);
    address.set_incarnation(server->incarnation);
    address.set_scrub_order(scrub_order_);
  }
  map.mutable_settings()->set_copy_bytes_per_second(copy_bytes_per_second_);
  return map;
}

void ReplicationCluster::SetGroup(const std::vector<Row>& rows, uint32_t min_active) {
  {
    absl::MutexLock lock(&mu_);
    min_active_ = min_active;
    group_.set_id(kGroup.value);
    group_.set_pool(1);
    group_.set_epoch(group_.epoch() + 1);
    group_.set_changed_at(group_.changed_at() + 1);
    group_.clear_members();
    for (const Row& row : rows) {
      v1::Member& member = *group_.add_members();
      member.set_server(row.server.value);
      member.set_state(row.leaving  ? v1::MEMBER_LEAVING
                       : row.active ? v1::MEMBER_ACTIVE
                                    : v1::MEMBER_SYNCING);
      member.set_incarnation(row.active ? servers_.at(row.server)->incarnation : 0);
    }
  }
  Publish();
}

void ReplicationCluster::Publish() {
  std::set<ServerId> running;
  {
    absl::MutexLock lock(&mu_);
    running = running_;
  }
  const v1::ClusterMap map = Map();
  for (const ServerId id : running) table(id).Apply(map, true);
}

uint64_t ReplicationCluster::SetGroupAfterPowerLoss(const std::vector<Row>& rows) {
  uint64_t lost = 0;
  {
    absl::MutexLock lock(&mu_);
    lost = group_.epoch() + 1;
    group_.set_power_lost_epoch(lost);
  }
  SetGroup(rows);
  return lost;
}

uint64_t ReplicationCluster::epoch() const {
  absl::MutexLock lock(&mu_);
  return group_.epoch();
}

bool ReplicationCluster::IsActive(ServerId server) {
  absl::MutexLock lock(&mu_);
  for (const v1::Member& member : group_.members()) {
    if (member.server() == server.value) return member.state() == v1::MEMBER_ACTIVE;
  }
  return false;
}

void ReplicationCluster::WaitReady(ServerId primary) {
  // A read of a chunk that nobody wrote is answered as soon as the group serves.
  (void)Eventually([&] {
    return Read(primary, {InodeId(1u << 30), 0}, 0, kBlockSize)->code() == ErrorCode::kOk;
  });
}

void ReplicationCluster::HoldSynced(bool hold) {
  absl::MutexLock lock(&mu_);
  hold_synced_ = hold;
}

std::vector<v1::ReportMemberRequest> ReplicationCluster::reports() {
  absl::MutexLock lock(&mu_);
  return reported_;
}

Status ReplicationCluster::MemberSynced(PgId, Epoch epoch, ServerId member,
                                        Incarnation incarnation) {
  if (on_synced_) on_synced_(member);
  {
    absl::MutexLock lock(&mu_);
    if (hold_synced_) return Status::Error(ErrorCode::kUnavailable, "nobody listens");
    if (group_.epoch() != epoch.value) {
      return Status::Error(ErrorCode::kStaleEpoch, "the group has moved on");
    }
    const bool activated = group_.activated_epoch() == group_.epoch();
    group_.set_epoch(group_.epoch() + 1);
    if (activated) group_.set_activated_epoch(group_.epoch());
    group_.set_changed_at(group_.changed_at() + 1);
    for (v1::Member& row : *group_.mutable_members()) {
      if (row.server() != member.value) continue;
      row.set_state(v1::MEMBER_ACTIVE);
      row.set_incarnation(incarnation.value);
    }
  }
  Publish();
  return OkStatus();
}

void ReplicationCluster::HoldActivations(bool hold) {
  absl::MutexLock lock(&mu_);
  hold_activations_ = hold;
}

std::vector<ServerId> ReplicationCluster::heard() {
  absl::MutexLock lock(&mu_);
  return heard_;
}

int ReplicationCluster::activations_asked() {
  absl::MutexLock lock(&mu_);
  return activations_asked_;
}

Status ReplicationCluster::ActivateGroup(Epoch epoch, const std::vector<ServerId>& heard) {
  {
    absl::MutexLock lock(&mu_);
    heard_ = heard;
    ++activations_asked_;
    if (hold_activations_) return Status::Error(ErrorCode::kUnavailable, "nobody listens");
    if (group_.epoch() != epoch.value) {
      return Status::Error(ErrorCode::kBusy, "the group has moved on");
    }
    for (const v1::Member& row : group_.members()) {
      const bool knows =
          std::find(heard.begin(), heard.end(), ServerId(row.server())) != heard.end();
      if (row.state() == v1::MEMBER_LEAVING && !knows) {
        return Status::Error(ErrorCode::kBusy, "a leaving member may serve still");
      }
    }
    group_.set_activated_epoch(group_.epoch());
    group_.set_changed_at(group_.changed_at() + 1);
  }
  Publish();
  return OkStatus();
}

v1::ChunkAddress ReplicationCluster::Address(ChunkId id, std::optional<uint64_t> at_epoch) const {
  v1::ChunkAddress address;
  address.set_inode(id.inode.value);
  address.set_index(id.index);
  address.set_group(kGroup.value);
  address.set_epoch(at_epoch.value_or(epoch()));
  address.set_chunk_size(kTestChunkSize);
  address.set_generation(1);
  address.set_session(kSession);
  return address;
}

AnswerPtr ReplicationCluster::Call(ServerId at, v1::Method method,
                                   const google::protobuf::MessageLite& request, Payload payload,
                                   ServerId from, Duration patience) {
  auto answer = std::make_shared<Answer>();
  PeerIdentity peer = caller_;
  peer.hello.set_server(from.value);
  auto call = std::make_shared<DirectCall>(
      request, std::move(payload), peer, Deadline::After(patience),
      [answer](Result<RawReply> reply) { answer->Set(std::move(reply)); });
  servers_.at(at)->dispatcher->Dispatch(method, std::move(call));
  return answer;
}

AnswerPtr ReplicationCluster::Write(ServerId at, ChunkId id, uint32_t offset,
                                    const std::string& bytes, uint64_t sequence,
                                    std::optional<uint64_t> at_epoch) {
  v1::WriteChunkRequest request;
  *request.mutable_chunk() = Address(id, at_epoch);
  request.set_offset(offset);
  request.set_sequence(sequence);
  for (size_t done = 0; done < bytes.size();) {
    const size_t room = kBlockSize - (offset + done) % kBlockSize;
    const size_t length = std::min(room, bytes.size() - done);
    request.add_crcs(Crc32c(bytes.data() + done, length));
    done += length;
  }
  return Call(at, v1::CHUNK_WRITE, request, Payload::CopyOf(bytes));
}

AnswerPtr ReplicationCluster::Read(ServerId at, ChunkId id, uint32_t offset, uint32_t length,
                                   bool must_exist, Duration patience,
                                   std::optional<uint64_t> at_epoch) {
  v1::ReadChunkRequest request;
  *request.mutable_chunk() = Address(id, at_epoch);
  request.set_offset(offset);
  request.set_length(length);
  request.set_must_exist(must_exist);
  return Call(at, v1::CHUNK_READ, request, {}, ServerId(), patience);
}

AnswerPtr ReplicationCluster::Sync(ServerId at, ChunkId id, std::optional<uint64_t> oldest) {
  v1::SyncChunksRequest request;
  *request.add_chunks() = Address(id);
  request.add_oldest_write_epochs(oldest.value_or(request.chunks(0).epoch()));
  return Call(at, v1::CHUNK_SYNC, request);
}

AnswerPtr ReplicationCluster::Remove(ServerId at, ChunkId id) {
  v1::RemoveChunksRequest request;
  *request.add_chunks() = Address(id);
  request.set_whole(true);
  return Call(at, v1::CHUNK_REMOVE, request);
}

}  // namespace cairn
