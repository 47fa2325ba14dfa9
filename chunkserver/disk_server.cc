#include "chunkserver/disk_server.h"

#include <atomic>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/local/local_grants.h"
#include "chunkserver/local/local_page.h"
#include "chunkserver/replication/peers.h"
#include "chunkserver/replication/replica.h"
#include "chunkserver/scrub/scrubber.h"
#include "chunkserver/service/chunk_service.h"
#include "chunkserver/service/fault_service.h"
#include "chunkserver/service/token_gate.h"
#include "common/data_directory.h"
#include "common/logging.h"
#include "rpc/channel_pool.h"
#include "rpc/hello.h"

namespace cairn {
namespace {

// A peer that does not answer a connect is not waited for longer than this.
constexpr Duration kPeerConnectTimeout = std::chrono::seconds(1);

class LocalDisk final : public DiskServer {
 public:
  LocalDisk(std::string path, const DiskSurroundings& around)
      : path_(std::move(path)), around_(around), table_(*around.clock) {}
  ~LocalDisk() override {
    Leave();
    StopWorkers();
  }

  Status Open();
  const std::string& directory() const override { return path_; }
  const Dispatcher& dispatcher() const override { return dispatcher_; }
  v1::Hello MakeHello() const override;
  LocalGrants* local_grants() const override { return grants_.get(); }
  ServerId id() const override { return directory_->identity().server; }
  bool refused() const override { return refused_; }
  void Start() override;
  void Join(DiskJoin join) override;
  void Leave() override;
  void StopWorkers() override;
  Status Close() override;

 private:
  Status OpenStore();
  void OpenPage();
  void RememberFailure(const Status& cause);
  void RecordFailure();
  std::nullopt_t FallSilent();
  void MakeReplication();
  v1::JoinRequest MakeJoinRequest(const DiskJoin& join) const;
  Status Joined(const std::string& cluster_id, ServerId server);
  std::optional<v1::HeartbeatRequest> Vitals();
  void AddDamage(v1::HeartbeatRequest& vitals);
  void AddGroups(v1::HeartbeatRequest& vitals);
  bool Heard(const v1::HeartbeatResponse& answer);

  const std::string path_;
  const DiskSurroundings around_;
  std::atomic<bool> refused_{false};
  absl::Mutex failure_mu_;  // a leaf
  std::optional<Status> unrecorded_ ABSL_GUARDED_BY(failure_mu_);  // why the disk is not trusted
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<LocalPage> page_;  // null: clients do not read by themselves
  std::unique_ptr<ChunkStore> store_;
  GroupTable table_;
  std::unique_ptr<ClusterLink> link_;
  std::unique_ptr<ChannelPool> channels_;
  std::unique_ptr<ChannelPeers> peers_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<TokenGate> gate_;
  std::unique_ptr<LocalGrants> grants_;
  Dispatcher dispatcher_;
};

// Before this start is known to anybody: who mapped the page of an earlier one must not believe it
// when another server takes over (rules C1, C2). The directory's lock is held, so that one is gone.
void LocalDisk::OpenPage() {
  if (around_.config->unix_socket.empty()) return;
  auto page = LocalPage::Make(LocalPagePath(around_.config->unix_socket, directory_->disk_uuid()));
  if (!page.has_value()) {
    LOG_WARN("clients of this host do not read by themselves reason={}", page.error());
    return;
  }
  page_ = *std::move(page);
  table_.Watch(page_.get());
}

Status LocalDisk::OpenStore() {
  ASSIGN_OR_RETURN(directory_, DataDirectory::Open(*around_.files, path_, kChunkserverRole));
  OpenPage();
  ChunkStoreOptions options;
  options.directory = path_;
  options.files = around_.files;
  options.clock = around_.clock;
  options.clean_stop = directory_->clean_stop();
  options.unclean_boot = directory_->unclean_boot();
  options.changes = page_.get();
  options.disk_failed = [this](const Status& cause) { RememberFailure(cause); };
  ASSIGN_OR_RETURN(store_, ChunkStore::Open(options));
  return directory_->MarkRecovered();
}

void LocalDisk::RememberFailure(const Status& cause) {
  if (page_ != nullptr) page_->Revoked();
  LOG_ERROR("a disk is out of use directory={} server={} cause=\"{}\"", path_, id(), cause);
  const Status marked = directory_->MarkDiskFailed(cause);
  if (marked.ok()) return;
  // Whoever starts this server again must not find a disk that seems to work.
  if (around_.config->directories.size() == 1) {
    LOG_ERROR("the failure of the disk cannot be recorded, the server ends reason={}", marked);
    std::_Exit(EXIT_FAILURE);
  }
  // The other disks are not to go with it: it is out of use here, and recorded when it can be.
  LOG_ERROR("the failure of a disk cannot be recorded yet directory={} reason={}", path_, marked);
  absl::MutexLock lock(&failure_mu_);
  unrecorded_ = cause;
}

void LocalDisk::RecordFailure() {
  std::optional<Status> cause;
  {
    absl::MutexLock lock(&failure_mu_);
    cause = unrecorded_;
  }
  if (!cause.has_value() || !directory_->MarkDiskFailed(*cause).ok()) return;
  absl::MutexLock lock(&failure_mu_);
  unrecorded_.reset();
}

std::nullopt_t LocalDisk::FallSilent() {
  RecordFailure();
  return std::nullopt;
}

v1::Hello LocalDisk::MakeHello() const {
  const DataIdentity identity = directory_->identity();
  v1::Hello hello;
  hello.set_min_version(kProtocolVersion);
  hello.set_max_version(kProtocolVersion);
  hello.set_cluster_id(identity.cluster_id);
  hello.set_server(identity.server.value);
  hello.set_incarnation(directory_->incarnation().value);
  hello.set_role(v1::ROLE_CHUNKSERVER);
  return hello;
}

v1::JoinRequest LocalDisk::MakeJoinRequest(const DiskJoin& join) const {
  const DataIdentity identity = directory_->identity();
  v1::JoinRequest request;
  request.set_cluster_id(identity.cluster_id);
  request.set_server(identity.server.value);
  request.set_disk_uuid(directory_->disk_uuid());
  request.set_host(around_.config->host);
  request.set_boot_id(directory_->boot_id());
  request.set_incarnation(directory_->incarnation().value);
  request.set_rack(around_.config->rack);
  request.set_chunkserver(join.chunkserver.value);
  *request.mutable_frames() = join.frames;
  request.mutable_frames()->set_boot_id(directory_->boot_id());
  return request;
}

Status LocalDisk::Joined(const std::string& cluster_id, ServerId server) {
  RETURN_IF_ERROR(directory_->SetIdentity(cluster_id, server));
  channels_->SetHello(MakeHello());
  return OkStatus();
}

std::optional<v1::HeartbeatRequest> LocalDisk::Vitals() {
  if (replica_->disk_failed()) return FallSilent();
  v1::HeartbeatRequest vitals;
  const Result<DiskSpace> space = store_->Space();
  if (!space.has_value() && space.error().code() == ErrorCode::kDiskFailed) return FallSilent();
  if (space.has_value()) {
    vitals.set_total_bytes(space->total_bytes);
    vitals.set_available_bytes(replica_->context().space.available_bytes());
  }
  const ChunkStoreCounters counters = store_->Counters();
  vitals.set_checksum_errors(counters.checksum_errors);
  vitals.set_adopted_blocks(counters.adopted_blocks);
  // First how far it is, then what was found: who sees the end sees all of that.
  *vitals.mutable_scrub() = scrubber_->Progress();
  AddDamage(vitals);
  FenceList& fences = replica_->context().fences;
  vitals.set_fences_known(fences.known());
  vitals.set_fences_finished(fences.Finished());
  vitals.set_token_key_known(gate_->key_known());
  AddGroups(vitals);
  return vitals;
}

bool LocalDisk::Heard(const v1::HeartbeatResponse& answer) {
  gate_->Hear(answer);
  return replica_->context().fences.Take(answer);
}

void LocalDisk::AddDamage(v1::HeartbeatRequest& vitals) {
  for (const auto& [id, group] : replica_->damage().List()) {
    v1::LostChunk& damaged = *vitals.add_damaged();
    damaged.set_inode(id.inode.value);
    damaged.set_index(id.index);
    damaged.set_group(group.value);
  }
}

void LocalDisk::AddGroups(v1::HeartbeatRequest& vitals) {
  for (const PgId group : table_.Led()) {
    const GroupUsage usage = store_->Usage(group);
    v1::GroupUsage& told = *vitals.add_usage();
    told.set_group(group.value);
    told.set_chunks(usage.chunks);
    told.set_bytes(usage.bytes());
  }
  for (const auto& [key, count] : replica_->copies()) {
    v1::CopyProgress& told = *vitals.add_copies();
    told.set_group(key.first.value);
    told.set_member(key.second.value);
    told.set_total_bytes(count.total_bytes);
    told.set_done_bytes(count.done_bytes);
    told.set_throttled(replica_->clients_are_here());
  }
}

void LocalDisk::MakeReplication() {
  ChannelOptions options;
  options.hello = MakeHello();
  options.tls = around_.tls;
  options.connect_timeout = kPeerConnectTimeout;
  options.faults = around_.faults;
  channels_ = std::make_unique<ChannelPool>(options, "chunk-peers");
  peers_ = std::make_unique<ChannelPeers>(table_, *channels_);
  link_ = std::make_unique<ClusterLink>(table_, *around_.clock, *around_.metaserver);
  table_.OnWantRefresh([this] { link_->RefreshSoon(); });
  ChunkChanges& changes = page_ != nullptr ? *page_ : NoChunkChanges();
  replica_ = std::make_unique<Replica>(*store_, table_, *peers_, *link_, changes);
  scrubber_ = std::make_unique<Scrubber>(replica_->context(), replica_->repair());
  gate_ = std::make_unique<TokenGate>(replica_->context().fences, table_, *around_.clock);
  if (page_ != nullptr) {
    grants_ = std::make_unique<LocalGrants>(replica_->context(), *gate_, *page_);
  }
  RegisterChunkService(dispatcher_, *replica_, *gate_);
  RegisterFaultService(dispatcher_, *around_.faults);
}

Status LocalDisk::Open() {
  RETURN_IF_ERROR(OpenStore());
  MakeReplication();
  LOG_INFO("disk opened directory={} server={} incarnation={}", path_, id(),
           directory_->incarnation());
  return OkStatus();
}

void LocalDisk::Start() {
  replica_->Start();
  scrubber_->Start();
}

void LocalDisk::Join(DiskJoin join) {
  ClusterLinkOptions options;
  options.join = MakeJoinRequest(join);
  options.joined = [this, told = std::move(join.joined)](const std::string& cluster_id,
                                                         ServerId server) -> Status {
    RETURN_IF_ERROR(Joined(cluster_id, server));
    told(server);
    return OkStatus();
  };
  options.vitals = [this] { return Vitals(); };
  options.heard = [this](const v1::HeartbeatResponse& answer) { return Heard(answer); };
  options.refused = [this, told = std::move(join.refused)](const Status& reason) {
    refused_ = true;
    told(reason);
  };
  link_->SetOptions(std::move(options));
  link_->Start();
}

void LocalDisk::Leave() {
  if (link_ != nullptr) link_->Stop();
  if (page_ != nullptr) page_->Revoked();
}

void LocalDisk::StopWorkers() {
  if (channels_ == nullptr) return;  // stopped already, or never opened
  // First, so that no worker goes on waiting for a peer.
  peers_->Close();
  scrubber_->Stop();
  replica_->Stop();
  // Answers of peers may still come in: after this none does.
  channels_.reset();
}

Status LocalDisk::Close() {
  RecordFailure();
  RETURN_IF_ERROR(store_->Close());
  return directory_->MarkCleanStop();
}

}  // namespace

Result<std::unique_ptr<DiskServer>> DiskServer::Open(std::string directory,
                                                     const DiskSurroundings& around) {
  auto disk = std::make_unique<LocalDisk>(std::move(directory), around);
  RETURN_IF_ERROR(disk->Open());
  return std::unique_ptr<DiskServer>(std::move(disk));
}

}  // namespace cairn
