#include "metaserver/server.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/data_directory.h"
#include "common/faulty_file.h"
#include "common/logging.h"
#include "metaserver/cluster/chunk_check.h"
#include "metaserver/cluster/chunk_inspector.h"
#include "metaserver/cluster/chunk_remover.h"
#include "metaserver/cluster/cluster_resources.h"
#include "metaserver/cluster/group_activation.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/member_monitor.h"
#include "metaserver/cluster/membership.h"
#include "metaserver/cluster/metaserver_address.h"
#include "metaserver/cluster/metaserver_group.h"
#include "metaserver/cluster/reaper.h"
#include "metaserver/cluster/repair_watch.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"
#include "metaserver/service/admin_service.h"
#include "metaserver/service/check_chunks.h"
#include "metaserver/service/cluster_birth.h"
#include "metaserver/service/cluster_service.h"
#include "metaserver/service/layout_admin.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/service/server_admin.h"
#include "metaserver/service/service_gate.h"
#include "metaserver/service/token_issuer.h"
#include "metaserver/session_ticker.h"
#include "metaserver/sessions/admission.h"
#include "raft/frame_transport.h"
#include "raft/raft_node.h"
#include "rpc/channel_pool.h"
#include "rpc/grpc_server.h"
#include "rpc/hello.h"
#include "rpc/server.h"

namespace cairn {
namespace {

constexpr Duration kReach = std::chrono::seconds(1);  // for an accused chunkserver to answer
constexpr Duration kLeaveTime = std::chrono::milliseconds(500);
constexpr Duration kRaftConnect = std::chrono::milliseconds(300);

#ifdef CAIRN_FAULTS
constexpr bool kTakesFaults = true;
#else
constexpr bool kTakesFaults = false;
#endif

class RunningMetaserver final : public Metaserver {
 public:
  explicit RunningMetaserver(std::function<void(const Status&)> failed)
      : failed_(std::move(failed)) {}
  ~RunningMetaserver() override {
    (void)StopServing();
    group_.reset();     // may be calling a newcomer
    channels_.reset();  // answers that are still to come reach into what ends now
  }

  Status Start(const MetaserverConfig& config);
  uint16_t port() const override { return frames_->port(); }
  uint16_t grpc_port() const override { return grpc_->port(); }
  Status Stop() override;

 private:
  void MakeTransport();
  void RememberDiskFailure(const Status& cause);
  Status OpenState(const MetaserverConfig& config);
  void MakeServices();
  void Observe();
  Status Listen(const MetaserverConfig& config);
  Status StopServing();
  v1::Hello MakeHello() const;
  void TakePart();
  FileSystem& files() { return faulty_files_ != nullptr ? *faulty_files_ : PosixFiles(); }

  const std::function<void(const Status&)> failed_;
  SystemClock clock_;
  FaultPlan faults_;
  std::unique_ptr<FileSystem> faulty_files_;
  std::shared_ptr<const TlsContext> tls_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<ChannelPool> channels_;
  std::unique_ptr<ChannelPool> raft_channels_;
  std::unique_ptr<FrameTransport> transport_;
  std::unique_ptr<ReplicatedState> state_;
  RaftNode* node_ = nullptr;  // state_'s log
  std::unique_ptr<MapCache> maps_;
  std::unique_ptr<ServerRegistry> registry_;
  std::unique_ptr<ClusterResources> resources_;
  std::unique_ptr<MemberMonitor> monitor_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<GroupActivation> activation_;
  std::unique_ptr<RepairWatch> repairs_;
  std::unique_ptr<AdmissionCache> admission_;
  std::unique_ptr<TokenIssuer> tokens_;
  std::unique_ptr<SessionTable> sessions_;
  std::unique_ptr<MetadataService> metadata_;
  std::unique_ptr<SessionTicker> ticker_;
  std::unique_ptr<ChunkRemover> remover_;
  std::unique_ptr<Reaper> reaper_;
  std::unique_ptr<ChunkInspector> inspector_;
  std::unique_ptr<ChunkCheck> check_;
  std::unique_ptr<CheckChunksService> checks_;
  std::unique_ptr<MetaserverGroup> group_;
  Dispatcher services_;
  Dispatcher gate_;
  std::unique_ptr<FrameServer> frames_;
  std::unique_ptr<GrpcServer> grpc_;
  absl::Mutex mu_;
  bool listening_ ABSL_GUARDED_BY(mu_) = false;  // frames_ and grpc_ are there
};

Status RunningMetaserver::Start(const MetaserverConfig& config) {
  if (kTakesFaults) faulty_files_ = MakeFaultyFileSystem(PosixFiles(), faults_);
  ASSIGN_OR_RETURN(tls_, TlsContext::Load(config.tls));
  ASSIGN_OR_RETURN(directory_, DataDirectory::Open(files(), config.directory, kMetaserverRole));
  MakeTransport();
  RETURN_IF_ERROR(OpenState(config));
  MakeServices();
  RETURN_IF_ERROR(Listen(config));
  {
    absl::MutexLock lock(&mu_);
    listening_ = true;
  }
  TakePart();
  monitor_->Start();
  reaper_->Start();
  checks_->Start();
  repairs_->Start();
  ticker_->Start();
  grpc_->SetServing(true);
  LOG_INFO("metaserver started cluster={} incarnation={} frames_port={} grpc_port={}",
           directory_->has_identity() ? directory_->identity().cluster_id : "(not founded)",
           directory_->incarnation(), port(), grpc_port());
  return OkStatus();
}

// Whoever starts this server again must not find a disk that seems to work: what the kernel could
// not write it may have forgotten (rule M4).
void RunningMetaserver::RememberDiskFailure(const Status& cause) {
  if (cause.code() != ErrorCode::kDiskFailed && cause.code() != ErrorCode::kIoError) return;
  const Status marked = directory_->MarkDiskFailed(cause);
  if (marked.ok()) return;
  LOG_ERROR("the failure of the disk cannot be recorded, the server ends reason={}", marked);
  std::_Exit(EXIT_FAILURE);
}

// Channels of its own: they give up soon on a member that cannot be reached.
void RunningMetaserver::MakeTransport() {
  ChannelOptions channels;
  channels.hello = MakeHello();
  channels.tls = tls_;
  channels.faults = &faults_;
  channels_ = std::make_unique<ChannelPool>(channels, "meta-poller");
  channels.connect_timeout = kRaftConnect;
  raft_channels_ = std::make_unique<ChannelPool>(std::move(channels), "raft-poller");
  transport_ = std::make_unique<FrameTransport>(
      *raft_channels_, [](const std::string& text) -> std::optional<Address> {
        const Result<v1::MetaserverAddress> address = ParseMetaserver(text);
        if (!address) return std::nullopt;
        return ChooseAddress(address->frames());
      });
}

Status RunningMetaserver::OpenState(const MetaserverConfig& config) {
  const std::string log = config.directory + "/log";
  if (directory_->has_identity() && !LogStorage::Exists(files(), log)) {
    return Status::Error(ErrorCode::kCorruption,
                         "{} has lost its log and is metaserver {} no more: remove that one from "
                         "the group, empty the directory and add it as a new one",
                         config.directory, directory_->identity().server);
  }
  RaftNodeOptions options;
  options.directory = log;
  options.files = &files();
  options.clock = &clock_;
  options.storage.segment_bytes = config.log_segment_bytes;
  options.kept_segments = std::max<size_t>(1, config.kept_log_bytes / config.log_segment_bytes);
  options.on_failed = [this](const Status& cause) {
    RememberDiskFailure(cause);
    failed_(cause);
  };
  const OpenLog open_log =
      [&](StateMachine& machine,
          LeadershipObserver& observer) -> Result<std::unique_ptr<ReplicatedLog>> {
    options.observer = &observer;
    ASSIGN_OR_RETURN(std::unique_ptr<RaftNode> node, RaftNode::Open(options, machine, *transport_));
    node_ = node.get();
    return std::unique_ptr<ReplicatedLog>(std::move(node));
  };
  auto reserve = std::make_unique<DiskReserve>(
      [this, directory = config.directory] { return files().Space(directory); });
  ASSIGN_OR_RETURN(
      state_,
      OpenReplicatedState(MakeLevelDbHome(config.directory, files(), directory_->unclean_boot()),
                          open_log, clock_, std::move(reserve),
                          [this](const Status& cause) { RememberDiskFailure(cause); }));
  transport_->SetNode(node_);
  RETURN_IF_ERROR(directory_->MarkRecovered());
  maps_ = std::make_unique<MapCache>(*state_);
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_->Get());
  return CheckIdentity(*map, *directory_);
}

void RunningMetaserver::MakeServices() {
  registry_ = std::make_unique<ServerRegistry>(clock_);
  resources_ = std::make_unique<ClusterResources>(*state_, *maps_, *registry_);
  monitor_ = std::make_unique<MemberMonitor>(*state_, *maps_, *registry_, clock_);
  activation_ = std::make_unique<GroupActivation>(*state_, *maps_, *registry_);
  repairs_ = std::make_unique<RepairWatch>(*state_, *maps_, *registry_, clock_);
  admission_ = std::make_unique<AdmissionCache>(*state_);
  tokens_ = std::make_unique<TokenIssuer>(*state_, *admission_, clock_);
  membership_ = std::make_unique<Membership>(
      *state_, *maps_, *registry_, clock_, [this] { monitor_->Wake(); },
      [this](const v1::ServerRecord& server, auto done) {
        remover_->Remove(server, {}, Deadline::After(kReach), std::move(done));
      },
      *admission_);
  sessions_ = std::make_unique<SessionTable>(clock_);
  metadata_ =
      std::make_unique<MetadataService>(*state_, *sessions_, *resources_, *resources_, *tokens_);
  ticker_ = std::make_unique<SessionTicker>(*metadata_, *tokens_);
  remover_ = MakeChunkRemover(*channels_);
  reaper_ = std::make_unique<Reaper>(*state_, *maps_, *registry_, *remover_, clock_);
  inspector_ = MakeChunkInspector(*channels_);
  check_ = std::make_unique<ChunkCheck>(*state_, *maps_, *registry_, *inspector_);
  checks_ = std::make_unique<CheckChunksService>(*check_);
  group_ = std::make_unique<MetaserverGroup>(MetaserverGroupParts{
      node_, state_.get(), directory_.get(), channels_.get(), [this] { TakePart(); }});
  Observe();
  metadata_->Register(services_);
  RegisterClusterService(services_, *membership_, *activation_,
                         [this] { return group_->Members(); });
  RegisterAdminService(services_,
                       {state_.get(), maps_.get(), registry_.get(), &clock_, directory_.get(),
                        group_.get(), kTakesFaults ? &faults_ : nullptr,
                        [this](SessionId id) { return sessions_->OpenFiles(id); }});
  RegisterLayoutAdmin(services_, {state_.get(), maps_.get(), registry_.get()});
  RegisterServerAdmin(services_, {state_.get(), maps_.get(), registry_.get(), &clock_});
  checks_->Register(services_);
  RegisterRaftService(services_, *node_, [this] { return directory_->identity().cluster_id; });
  gate_ = MakeServiceGate(services_, *state_);
}

void RunningMetaserver::Observe() {
  state_->OnMapChanged([this] {
    maps_->Invalidate();
    monitor_->Wake();
  });
  state_->OnAdmissionChange(
      [this](bool shown) { shown ? admission_->EndChange() : admission_->BeginChange(); });
  // What an earlier term's leader knew of sessions and chunkservers is old (rule M8).
  state_->OnLeadership([this](bool leads) {
    if (leads) registry_->Restart();
    metadata_->OnLeadership(leads);
  });
}

Status RunningMetaserver::Listen(const MetaserverConfig& config) {
  FrameServerOptions frames;
  frames.name = "frames";
  frames.listen = config.listen;
  frames.unix_path = config.unix_socket;
  frames.tls = tls_;
  frames.hello = MakeHello();
  frames.faults = &faults_;
  ASSIGN_OR_RETURN(frames_, FrameServer::Start(std::move(frames), gate_));
  GrpcServerOptions grpc;
  grpc.listen = config.grpc_listen;
  grpc.tls = tls_;
  grpc.services = {"cairn.v1.Admin", "cairn.v1.Cluster", "cairn.v1.Metadata"};
  ASSIGN_OR_RETURN(grpc_, GrpcServer::Start(std::move(grpc), gate_));
  return OkStatus();
}

v1::Hello RunningMetaserver::MakeHello() const {
  const DataIdentity identity = directory_->identity();
  v1::Hello hello;
  hello.set_min_version(kProtocolVersion);
  hello.set_max_version(kProtocolVersion);
  hello.set_cluster_id(identity.cluster_id);
  hello.set_server(identity.server.value);
  hello.set_incarnation(directory_->incarnation().value);
  hello.set_role(v1::ROLE_METASERVER);
  return hello;
}

// Says who this is and joins in, once that is known: at the start, or when it is adopted, which may
// be as soon as the first port is open.
void RunningMetaserver::TakePart() {
  absl::MutexLock lock(&mu_);
  if (!listening_) return;
  if (directory_->has_identity()) {
    const v1::Hello hello = MakeHello();
    channels_->SetHello(hello);
    raft_channels_->SetHello(hello);
    frames_->SetHello(hello);
  }
  if (directory_->has_identity()) node_->Start();
}

// Whoever asks is let go first; then those who work by themselves; the state last, because its
// callbacks reach into all of them.
Status RunningMetaserver::StopServing() {
  if (node_ != nullptr) node_->Refuse();
  if (checks_ != nullptr) checks_->Stop();
  if (grpc_ != nullptr) {
    grpc_->SetServing(false);
    grpc_->Stop();
  }
  if (frames_ != nullptr) frames_->Stop();
  if (ticker_ != nullptr) ticker_->Stop();
  if (reaper_ != nullptr) reaper_->Stop();
  if (repairs_ != nullptr) repairs_->Stop();
  if (monitor_ != nullptr) monitor_->Stop();
  if (node_ != nullptr) transport_->Stop();
  return state_ != nullptr ? state_->Stop() : OkStatus();
}

Status RunningMetaserver::Stop() {
  // Somebody else leads before this one goes: nobody has to wait for an election.
  node_->LeaveOffice(Deadline::After(kLeaveTime));
  RETURN_IF_ERROR(StopServing());  // or the next start would trust what may not be on disk
  LOG_INFO("metaserver stopped");
  return directory_->MarkCleanStop();
}

}  // namespace

Result<std::unique_ptr<Metaserver>> Metaserver::Start(const MetaserverConfig& config,
                                                      std::function<void(const Status&)> failed) {
  auto server = std::make_unique<RunningMetaserver>(std::move(failed));
  RETURN_IF_ERROR(server->Start(config));
  return std::unique_ptr<Metaserver>(std::move(server));
}

}  // namespace cairn
