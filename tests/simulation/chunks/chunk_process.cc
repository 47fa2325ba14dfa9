#include "tests/simulation/chunks/chunk_process.h"

#include <utility>

#include "chunkserver/service/chunk_service.h"
#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {

constexpr uint64_t kProcessStream = 0x94c;
constexpr Time kListLateBy = 8s;

v1::Method MethodOf(const std::string& name) {
  if (name == "/cairn.v1.Cluster/Join") return v1::CLUSTER_JOIN;
  if (name == "/cairn.v1.Cluster/Heartbeat") return v1::CLUSTER_HEARTBEAT;
  if (name == "/cairn.v1.Cluster/ReportMember") return v1::CLUSTER_REPORT_MEMBER;
  if (name == "/cairn.v1.Cluster/ActivateGroups") return v1::CLUSTER_ACTIVATE_GROUPS;
  CAIRN_CHECK(name == "/cairn.v1.Cluster/MemberSynced");
  return v1::CLUSTER_MEMBER_SYNCED;
}

}  // namespace

class ChunkProcess::MetaserverTie final : public MetaserverCaller {
 public:
  MetaserverTie(Wires& wires, PortPtr port) : wires_(wires), port_(std::move(port)) {}
  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response, Deadline deadline) override {
    ASSIGN_OR_RETURN(const RawReply reply, wires_.CallAndWait(port_, kMetaserver, MethodOf(method),
                                                              request, {}, deadline));
    CAIRN_CHECK(response.ParseFromString(reply.body));
    return OkStatus();
  }

 private:
  Wires& wires_;
  const PortPtr port_;
};

class ChunkProcess::PeerTie final : public Peers {
 public:
  PeerTie(Wires& wires, PortPtr port, const GroupTable& table)
      : wires_(wires), port_(std::move(port)), table_(table) {}
  void CallAsync(ServerId to, v1::Method method, const google::protobuf::MessageLite& request,
                 Payload payload, Deadline deadline, Channel::Callback done) override {
    const std::optional<ServerLocation> location = table_.Locate(to);
    if (!location.has_value()) return done(Fail(ErrorCode::kUnavailable, "address not known"));
    wires_.Call(port_, location->frames.port(), method, request, std::move(payload), deadline,
                std::move(done));
  }
  Result<RawReply> CallRaw(ServerId to, v1::Method method,
                           const google::protobuf::MessageLite& request, Payload payload,
                           Deadline deadline) override {
    const std::optional<ServerLocation> location = table_.Locate(to);
    if (!location.has_value()) return Fail(ErrorCode::kUnavailable, "address not known");
    return wires_.CallAndWait(port_, location->frames.port(), method, request, std::move(payload),
                              deadline);
  }

 private:
  Wires& wires_;
  const PortPtr port_;
  const GroupTable& table_;
};

ChunkProcess::ChunkProcess(ChunkWorld& world, Wires& wires, ChunkDisk& disk, ProcessFacts facts,
                           Written written, Answered answered)
    : world_(world),
      wires_(wires),
      disk_(disk),
      facts_(std::move(facts)),
      written_(std::move(written)),
      answered_(std::move(answered)),
      random_(world.plan.seed, kProcessStream + facts_.node * 1000 + facts_.incarnation),
      domain_(facts_.clock_offset, facts_.clock_drift),
      port_(std::make_shared<Port>(world, domain_, facts_.node)) {}

ChunkProcess::~ChunkProcess() = default;

void ChunkProcess::Start() {
  world_.fibers.Start(domain_, [this] {
    Open();
    started_ = true;
    if (killed_) TakeApart(false);  // it was while it opened
  });
}

void ChunkProcess::Open() {
  world_.fibers.Sleep(random_.Between(Time(1ms), Time(100ms)));
  if (killed_) return;
  ChunkStoreOptions options;
  options.directory = "/disk";
  options.files = &disk_.Attach();
  options.clock = &clock_;
  options.clean_stop = disk_.clean;
  options.unclean_boot = !disk_.clean && disk_.booted;
  options.open_index = [this]() -> Result<std::unique_ptr<IndexDatabase>> {
    return disk_.rows().Attach();
  };
  disk_.clean = false;
  disk_.booted = false;
  Result<std::unique_ptr<ChunkStore>> store = ChunkStore::Open(options);
  if (!store.has_value()) {
    world_.violations.Add(
        "store", fmt::format("server {} cannot open its store: {}", facts_.server, store.error()));
    refused_ = true;
    return;
  }
  store_ = std::move(*store);
  StartReplication();
}

void ChunkProcess::StartReplication() {
  slow_ = std::make_unique<SlowStore>(
      *store_, disk_, random_, world_.plan.disk_latency, world_.plan.passing,
      [this](const ChunkWrite& write) { written_(facts_.server, write); });
  table_ = std::make_unique<GroupTable>(clock_);
  metaserver_ = std::make_unique<MetaserverTie>(wires_, port_);
  link_ = std::make_unique<ClusterLink>(*table_, clock_, *metaserver_);
  table_->OnWantRefresh([this] { link_->RefreshSoon(); });
  peers_ = std::make_unique<PeerTie>(wires_, port_, *table_);
  replica_ = std::make_unique<Replica>(*slow_, *table_, *peers_, *link_);
  scrubber_ = std::make_unique<Scrubber>(replica_->context(), replica_->repair());
  dispatcher_ = std::make_unique<Dispatcher>();
  gate_ = std::make_unique<TokenGate>(replica_->context().fences, *table_, clock_);
  admission_ = std::make_unique<SimulatedGate>(*gate_);
  RegisterChunkService(*dispatcher_, *replica_, *admission_);
  port_->dispatcher = dispatcher_.get();
  port_->identity.hello.set_server(facts_.server.value);
  port_->answered = answered_;
  ClusterLinkOptions options;
  options.join.set_server(facts_.server.value);
  options.join.set_disk_uuid(disk_.uuid());
  options.join.set_boot_id(facts_.boot_id);
  options.join.set_incarnation(facts_.incarnation);
  options.join.mutable_frames()->set_host("simulated");
  options.join.mutable_frames()->set_port(facts_.node);
  options.joined = [](const std::string&, ServerId) { return OkStatus(); };
  options.vitals = [this] { return Vitals(); };
  options.heard = [this](const v1::HeartbeatResponse& answer) { return Heard(answer); };
  options.refused = [this](const Status&) { refused_ = true; };
  link_->SetOptions(std::move(options));
  wires_.Plug(port_);
  opened_ = world_.now();
  replica_->Start();
  scrubber_->Start();
  link_->Start();
  running_ = true;
}

std::optional<v1::HeartbeatRequest> ChunkProcess::Vitals() {
  if (replica_->disk_failed()) return std::nullopt;
  v1::HeartbeatRequest vitals;
  const Result<DiskSpace> space = store_->Space();
  if (!space.has_value() && space.error().code() == ErrorCode::kDiskFailed) return std::nullopt;
  *vitals.mutable_scrub() = scrubber_->Progress();
  FenceList& fences = replica_->context().fences;
  vitals.set_fences_known(fences.known());
  vitals.set_fences_finished(fences.Finished());
  vitals.set_token_key_known(gate_->key_known());
  return vitals;
}

bool ChunkProcess::Heard(const v1::HeartbeatResponse& answer) {
  gate_->Hear(answer);
  // A bug: it may serve, and hears later whom it must not.
  if (ChunkBugIs(ChunkBug::kFenceListLate) && world_.now() < opened_ + kListLateBy) return true;
  return replica_->context().fences.Take(answer);
}

void ChunkProcess::Kill(bool breaks) {
  if (std::exchange(killed_, true)) return;
  disk_.Detach();
  wires_.Unplug(facts_.node, breaks);
  port_->Close();
  Resume();
  if (started_ && !ending_) world_.fibers.Start(domain_, [this] { TakeApart(false); });
  ending_ = true;
}

void ChunkProcess::StopCleanly() {
  CAIRN_CHECK(running());
  Resume();
  running_ = false;
  ending_ = true;
  world_.fibers.Start(domain_, [this] { TakeApart(true); });
}

void ChunkProcess::AwaitIdle() {
  const std::function<bool()> idle = [this] { return port_->idle(); };
  while (!port_->idle()) world_.fibers.Wait(idle, std::nullopt);
}

void ChunkProcess::TakeApart(bool in_order) {
  running_ = false;
  if (link_ != nullptr) link_->Stop();
  if (in_order && !killed_) wires_.Unplug(facts_.node, true);
  port_->Close();
  AwaitIdle();
  if (scrubber_ != nullptr) scrubber_->Stop();
  if (replica_ != nullptr) replica_->Stop();
  AwaitIdle();
  if (in_order && !killed_) {
    disk_.clean = store_->Close().ok();
    killed_ = true;
    disk_.Detach();
  }
  dispatcher_.reset();
  admission_.reset();
  gate_.reset();
  scrubber_.reset();
  replica_.reset();
  peers_.reset();
  link_.reset();
  slow_.reset();
  store_.reset();
  gone_ = true;
}

}  // namespace cairn::simulation::chunks
