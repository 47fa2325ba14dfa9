#include "tests/support/fake_cluster.h"

#include <stdlib.h>

#include <filesystem>

#include "common/boot_id.h"

namespace cairn::testing {

namespace {
constexpr uint32_t kGroups = 8;
constexpr uint32_t kFirstGroup = 10;

std::string MakeDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "cairn-fake-XXXXXX").string();
  CAIRN_CHECK(mkdtemp(pattern.data()) != nullptr);
  return pattern;
}
}  // namespace

FakeCluster::FakeCluster(uint32_t chunk_size, uint32_t servers, uint32_t metaservers)
    : servers_(servers),
      directory_(MakeDirectory()),
      metadata_(chunk_size, &script_),
      metaservers_(directory_, metaservers, [this](Dispatcher& all) { metadata_.Register(all); }),
      chunks_(&script_) {
  for (uint32_t server = 1; server <= servers_; ++server) {
    auto dispatcher = std::make_unique<Dispatcher>();
    chunks_.Register(*dispatcher, server);
    listening_.push_back(Listen(server, *dispatcher));
    dispatchers_.push_back(std::move(dispatcher));
  }
  PublishMap();
}

FakeCluster::~FakeCluster() {
  script_.LetGo();
  metaservers_.StopAll();
  listening_.clear();
  std::filesystem::remove_all(directory_);
}

MountOptions FakeCluster::Options() const {
  MountOptions options;
  options.metaservers = metaservers_.Sockets();
  options.timeout = std::chrono::seconds(20);
  return options;
}

std::string FakeCluster::SocketOf(uint32_t server) const {
  return directory_ + "/server" + std::to_string(server) + ".sock";
}

std::unique_ptr<FrameServer> FakeCluster::Listen(uint32_t server,
                                                 const Dispatcher& dispatcher) const {
  FrameServerOptions options;
  options.unix_path = SocketOf(server);
  options.hello.set_min_version(1);
  options.hello.set_max_version(1);
  options.hello.set_cluster_id("fake");
  options.hello.set_server(server);
  options.hello.set_role(v1::ROLE_CHUNKSERVER);
  auto listening = FrameServer::Start(options, dispatcher);
  CAIRN_CHECK(listening.has_value());
  return std::move(*listening);
}

void FakeCluster::PublishMap() {
  ++map_version_;
  v1::ClusterMap map;
  map.set_version(map_version_);
  v1::Pool* pool = map.add_pools();
  pool->set_id(1);
  pool->set_generation(1);
  pool->set_copies(1);
  pool->set_first_group(kFirstGroup);
  pool->set_group_count(kGroups);
  for (uint32_t i = 0; i < kGroups; ++i) {
    uint32_t primary = static_cast<uint32_t>((i + map_version_) % servers_ + 1);
    v1::PlacementGroup* group = map.add_groups();
    group->set_id(kFirstGroup + i);
    group->set_pool(1);
    group->set_epoch(map_version_);
    group->set_changed_at(map_version_);
    v1::Member* syncing = group->add_members();  // never the primary
    syncing->set_server(servers_ + 1);
    syncing->set_state(v1::MEMBER_SYNCING);
    v1::Member* member = group->add_members();
    member->set_server(primary);
    member->set_state(v1::MEMBER_ACTIVE);
    chunks_.SetGroup(kFirstGroup + i, map_version_, primary);
  }
  for (uint32_t server = 1; server <= servers_; ++server) {
    v1::ServerAddress* address = map.add_servers();
    address->set_server(server);
    address->mutable_frames()->set_unix_path(SocketOf(server));
    address->mutable_frames()->set_boot_id(BootId());
  }
  metadata_.SetMap(map);
}

void FakeCluster::MoveGroups() { PublishMap(); }

void FakeCluster::LosePower(uint64_t inode, uint32_t index) {
  const uint32_t group = chunks_.GroupOf(inode, index);
  CAIRN_CHECK(group != 0);
  chunks_.LosePower(group);
  PublishMap();
}

}  // namespace cairn::testing
