#include "chunkserver/server.h"

#include <cstdlib>
#include <utility>

#include "chunkserver/metaserver_calls.h"
#include "chunkserver/replication/cluster_link.h"
#include "chunkserver/replication/peers.h"
#include "chunkserver/replication/replica.h"
#include "chunkserver/scrub/scrubber.h"
#include "chunkserver/service/chunk_service.h"
#include "chunkserver/service/fault_service.h"
#include "chunkserver/service/token_gate.h"
#include "common/data_directory.h"
#include "common/fault_plan.h"
#include "common/faulty_file.h"
#include "common/logging.h"
#include "rpc/channel_pool.h"
#include "rpc/dispatcher.h"
#include "rpc/hello.h"
#include "rpc/server.h"

namespace cairn {
namespace {

constexpr int kFrameThreads = 3;
// A peer that does not answer a connect is not waited for longer than this.
constexpr Duration kPeerConnectTimeout = std::chrono::seconds(1);

class LocalChunkserver final : public Chunkserver {
 public:
  explicit LocalChunkserver(const ChunkserverConfig& config)
      : config_(config), files_(MakeFaultyFileSystem(PosixFiles(), faults_)), table_(clock_) {}
  ~LocalChunkserver() override { StopServing(); }

  Status Open(std::function<void(const Status&)> refused);
  Status Stop() override;

 private:
  Status OpenStore();
  void RememberDiskFailure(const Status& cause);
  Status Listen();
  void StartReplication(std::function<void(const Status&)> refused);
  v1::Hello MakeHello() const;
  v1::JoinRequest MakeJoin() const;
  Status Joined(const std::string& cluster_id, ServerId server);
  std::optional<v1::HeartbeatRequest> Vitals();
  void AddGroups(v1::HeartbeatRequest& vitals);
  bool Heard(const v1::HeartbeatResponse& answer);
  void StopServing();

  const ChunkserverConfig config_;
  FaultPlan faults_;
  SystemClock clock_;
  std::unique_ptr<FileSystem> files_;
  std::shared_ptr<const TlsContext> tls_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<ChunkStore> store_;
  GroupTable table_;
  std::unique_ptr<MetaserverCalls> metaserver_;
  std::unique_ptr<ClusterLink> link_;
  std::unique_ptr<ChannelPool> channels_;
  std::unique_ptr<ChannelPeers> peers_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<TokenGate> gate_;
  Dispatcher dispatcher_;
  std::unique_ptr<FrameServer> server_;
};

Status LocalChunkserver::OpenStore() {
  ASSIGN_OR_RETURN(directory_, DataDirectory::Open(*files_, config_.directory, kChunkserverRole));
  ChunkStoreOptions options;
  options.directory = config_.directory;
  options.files = files_.get();
  options.clock = &clock_;
  options.clean_stop = directory_->clean_stop();
  options.unclean_boot = directory_->unclean_boot();
  options.disk_failed = [this](const Status& cause) { RememberDiskFailure(cause); };
  ASSIGN_OR_RETURN(store_, ChunkStore::Open(options));
  return directory_->MarkRecovered();
}

void LocalChunkserver::RememberDiskFailure(const Status& cause) {
  const Status marked = directory_->MarkDiskFailed(cause);
  if (marked.ok()) return;
  // Whoever starts this server again must not find a disk that seems to work.
  LOG_ERROR("the failure of the disk cannot be recorded, the server ends reason={}", marked);
  std::_Exit(EXIT_FAILURE);
}

v1::Hello LocalChunkserver::MakeHello() const {
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

v1::JoinRequest LocalChunkserver::MakeJoin() const {
  const DataIdentity identity = directory_->identity();
  v1::JoinRequest join;
  join.set_cluster_id(identity.cluster_id);
  join.set_server(identity.server.value);
  join.set_disk_uuid(directory_->disk_uuid());
  join.set_host(config_.host);
  join.set_boot_id(directory_->boot_id());
  join.set_incarnation(directory_->incarnation().value);
  join.set_rack(config_.rack);
  v1::Endpoint& frames = *join.mutable_frames();
  frames.set_host(config_.host);
  frames.set_port(server_->port());
  frames.set_unix_path(config_.unix_socket);
  frames.set_boot_id(directory_->boot_id());
  return join;
}

Status LocalChunkserver::Joined(const std::string& cluster_id, ServerId server) {
  RETURN_IF_ERROR(directory_->SetIdentity(cluster_id, server));
  server_->SetHello(MakeHello());
  channels_->SetHello(MakeHello());
  return OkStatus();
}

std::optional<v1::HeartbeatRequest> LocalChunkserver::Vitals() {
  if (replica_->disk_failed()) return std::nullopt;
  v1::HeartbeatRequest vitals;
  const Result<DiskSpace> space = store_->Space();
  if (!space.has_value() && space.error().code() == ErrorCode::kDiskFailed) return std::nullopt;
  if (space.has_value()) {
    vitals.set_total_bytes(space->total_bytes);
    vitals.set_available_bytes(replica_->context().space.available_bytes());
  }
  const ChunkStoreCounters counters = store_->Counters();
  vitals.set_checksum_errors(counters.checksum_errors);
  vitals.set_adopted_blocks(counters.adopted_blocks);
  // First how far it is, then what was found: who sees the end sees all of that.
  *vitals.mutable_scrub() = scrubber_->Progress();
  for (const auto& [id, group] : replica_->damage().List()) {
    v1::LostChunk& damaged = *vitals.add_damaged();
    damaged.set_inode(id.inode.value);
    damaged.set_index(id.index);
    damaged.set_group(group.value);
  }
  FenceList& fences = replica_->context().fences;
  vitals.set_fences_known(fences.known());
  vitals.set_fences_finished(fences.Finished());
  vitals.set_token_key_known(gate_->key_known());
  AddGroups(vitals);
  return vitals;
}

bool LocalChunkserver::Heard(const v1::HeartbeatResponse& answer) {
  gate_->Hear(answer);
  return replica_->context().fences.Take(answer);
}

void LocalChunkserver::AddGroups(v1::HeartbeatRequest& vitals) {
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
  }
}

Status LocalChunkserver::Listen() {
  FrameServerOptions options;
  options.name = "chunk";
  options.listen = config_.listen;
  options.unix_path = config_.unix_socket;
  options.tls = tls_;
  options.threads = kFrameThreads;
  options.hello = MakeHello();
  options.faults = &faults_;
  ASSIGN_OR_RETURN(server_, FrameServer::Start(std::move(options), dispatcher_));
  return OkStatus();
}

void LocalChunkserver::StartReplication(std::function<void(const Status&)> refused) {
  ClusterLinkOptions options;
  options.join = MakeJoin();
  options.joined = [this](const std::string& cluster_id, ServerId server) {
    return Joined(cluster_id, server);
  };
  options.vitals = [this] { return Vitals(); };
  options.heard = [this](const v1::HeartbeatResponse& answer) { return Heard(answer); };
  options.refused = std::move(refused);
  link_->SetOptions(std::move(options));
  replica_->Start();
  scrubber_->Start();
  link_->Start();
}

Status LocalChunkserver::Open(std::function<void(const Status&)> refused) {
  ASSIGN_OR_RETURN(tls_, TlsContext::Load(config_.tls));
  RETURN_IF_ERROR(OpenStore());
  ChannelOptions channel_options;
  channel_options.hello = MakeHello();
  channel_options.tls = tls_;
  channel_options.connect_timeout = kPeerConnectTimeout;
  channel_options.faults = &faults_;
  channels_ = std::make_unique<ChannelPool>(channel_options, "chunk-peers");
  peers_ = std::make_unique<ChannelPeers>(table_, *channels_);
  metaserver_ = std::make_unique<MetaserverCalls>(config_.metaservers, tls_);
  link_ = std::make_unique<ClusterLink>(table_, clock_, *metaserver_);
  table_.OnWantRefresh([this] { link_->RefreshSoon(); });
  replica_ = std::make_unique<Replica>(*store_, table_, *peers_, *link_);
  scrubber_ = std::make_unique<Scrubber>(replica_->context(), replica_->repair());
  gate_ = std::make_unique<TokenGate>(replica_->context().fences, table_, clock_);
  RegisterChunkService(dispatcher_, *replica_, *gate_);
  RegisterFaultService(dispatcher_, faults_);
  RETURN_IF_ERROR(Listen());
  StartReplication(std::move(refused));
  LOG_INFO("chunkserver listens address={}:{} socket={} directory={} incarnation={}",
           config_.listen.host, server_->port(), config_.unix_socket, config_.directory,
           directory_->incarnation());
  return OkStatus();
}

void LocalChunkserver::StopServing() {
  if (channels_ == nullptr) return;  // stopped already, or never started
  if (link_ != nullptr) link_->Stop();
  if (server_ != nullptr) server_->Stop();
  // First, so that no worker goes on waiting for a peer.
  if (peers_ != nullptr) peers_->Close();
  if (scrubber_ != nullptr) scrubber_->Stop();
  if (replica_ != nullptr) replica_->Stop();
  // Answers of peers may still come in: after this none does.
  channels_.reset();
}

Status LocalChunkserver::Stop() {
  LOG_INFO("chunkserver stops");
  StopServing();
  RETURN_IF_ERROR(store_->Close());
  RETURN_IF_ERROR(directory_->MarkCleanStop());
  LOG_INFO("chunkserver stopped");
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Chunkserver>> Chunkserver::Start(
    const ChunkserverConfig& config, std::function<void(const Status&)> refused) {
  auto server = std::make_unique<LocalChunkserver>(config);
  RETURN_IF_ERROR(server->Open(std::move(refused)));
  return std::unique_ptr<Chunkserver>(std::move(server));
}

}  // namespace cairn
