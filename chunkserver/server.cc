#include "chunkserver/server.h"

#include <utility>
#include <vector>

#include "chunkserver/disk_server.h"
#include "chunkserver/disk_set.h"
#include "chunkserver/local/local_door.h"
#include "chunkserver/metaserver_calls.h"
#include "common/fault_plan.h"
#include "common/faulty_file.h"
#include "common/logging.h"
#include "rpc/local_page_layout.h"
#include "rpc/server.h"

namespace cairn {
namespace {

constexpr int kFrameThreads = 3;

class LocalChunkserver final : public Chunkserver {
 public:
  explicit LocalChunkserver(const ChunkserverConfig& config)
      : config_(config), files_(MakeFaultyFileSystem(PosixFiles(), faults_)) {}
  ~LocalChunkserver() override { StopServing(); }

  Status Open(std::function<void(const Status&)> refused);
  Status Stop() override;

 private:
  Status OpenDisks();
  Status Listen();
  void OpenDoor();
  v1::Endpoint FramesEndpoint() const;
  void StopServing();

  const ChunkserverConfig config_;
  FaultPlan faults_;
  SystemClock clock_;
  std::unique_ptr<FileSystem> files_;
  std::shared_ptr<const TlsContext> tls_;
  std::unique_ptr<MetaserverCalls> metaserver_;
  std::unique_ptr<DiskSet> disks_;
  std::unique_ptr<FrameServer> server_;
  std::unique_ptr<LocalDoor> door_;
};

// What is wrong with one disk is no reason to keep back what the others hold.
Status LocalChunkserver::OpenDisks() {
  const DiskSurroundings around{&config_, files_.get(), &clock_, &faults_, tls_, metaserver_.get()};
  std::vector<std::unique_ptr<DiskServer>> disks;
  Status first;
  for (const std::string& directory : config_.directories) {
    Result<std::unique_ptr<DiskServer>> disk = DiskServer::Open(directory, around);
    if (disk.has_value()) {
      disks.push_back(*std::move(disk));
      continue;
    }
    if (first.ok()) first = disk.error();
    LOG_ERROR("a disk cannot be opened directory={} reason={}", directory, disk.error());
  }
  if (disks.empty()) return first;
  disks_ = std::make_unique<DiskSet>(std::move(disks));
  return OkStatus();
}

Status LocalChunkserver::Listen() {
  FrameServerOptions options;
  options.name = "chunk";
  options.listen = config_.listen;
  options.unix_path = config_.unix_socket;
  options.tls = tls_;
  options.threads = kFrameThreads;
  options.lanes = disks_->size();  // a slow disk must not stall the others
  options.faults = &faults_;
  ASSIGN_OR_RETURN(server_, FrameServer::Start(std::move(options), [this](const v1::Hello& peer) {
                     return disks_->Choose(peer);
                   }));
  return OkStatus();
}

// Clients do without it: they read by frames.
void LocalChunkserver::OpenDoor() {
  if (config_.unix_socket.empty()) return;
  auto door = LocalDoor::Open(LocalSocketPath(config_.unix_socket),
                              [this](ServerId server) { return disks_->GrantsOf(server); });
  if (door.has_value()) {
    door_ = *std::move(door);
  } else {
    LOG_WARN("clients of this host do not read by themselves reason={}", door.error());
  }
}

v1::Endpoint LocalChunkserver::FramesEndpoint() const {
  v1::Endpoint frames;
  frames.set_host(config_.host);
  frames.set_port(server_->port());
  frames.set_unix_path(config_.unix_socket);
  return frames;
}

Status LocalChunkserver::Open(std::function<void(const Status&)> refused) {
  ASSIGN_OR_RETURN(tls_, TlsContext::Load(config_.tls));
  metaserver_ = std::make_unique<MetaserverCalls>(config_.metaservers, tls_);
  RETURN_IF_ERROR(OpenDisks());
  RETURN_IF_ERROR(Listen());
  OpenDoor();
  disks_->Join(FramesEndpoint(), std::move(refused));
  LOG_INFO("chunkserver listens address={}:{} socket={} disks={}", config_.listen.host,
           server_->port(), config_.unix_socket, disks_->size());
  return OkStatus();
}

void LocalChunkserver::StopServing() {
  if (disks_ == nullptr) return;  // never started
  disks_->Leave();
  door_.reset();
  if (server_ != nullptr) server_->Stop();
  disks_->StopWorkers();
}

Status LocalChunkserver::Stop() {
  LOG_INFO("chunkserver stops");
  StopServing();
  RETURN_IF_ERROR(disks_->Close());
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
