// A cluster in one process: metaservers and chunkservers on UNIX sockets in a directory of its own,
// with answers that a test can script.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/mounted_file_system.h"
#include "rpc/server.h"
#include "tests/support/fake_chunks.h"
#include "tests/support/fake_faults.h"
#include "tests/support/fake_metadata.h"
#include "tests/support/fake_metaservers.h"

namespace cairn::testing {

// Confined to the test's thread; the parts are thread-safe.
class FakeCluster {
 public:
  explicit FakeCluster(uint32_t chunk_size = kMinChunkSize, uint32_t servers = 3,
                       uint32_t metaservers = 1);
  ~FakeCluster();

  // Options of a mount of this cluster.
  MountOptions Options() const;
  FaultScript& script() { return script_; }
  FakeMetadata& metadata() { return metadata_; }
  FakeMetaservers& metaservers() { return metaservers_; }
  FakeChunks& chunks() { return chunks_; }

  // Every group has its next server as primary, at the next epoch. The map that clients can fetch
  // says so at once.
  void MoveGroups();
  // The same, and all copies of the group that keeps this chunk have lost power.
  void LosePower(uint64_t inode, uint32_t index);
  // The first one.
  void StopMetaserver() { metaservers_.Stop(1); }
  void StartMetaserver() { metaservers_.Start(1); }

 private:
  std::string SocketOf(uint32_t server) const;
  std::unique_ptr<FrameServer> Listen(uint32_t server, const Dispatcher& dispatcher) const;
  void PublishMap();

  const uint32_t servers_;
  const std::string directory_;
  FaultScript script_;
  FakeMetadata metadata_;
  FakeMetaservers metaservers_;
  FakeChunks chunks_;
  uint64_t map_version_ = 0;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  std::vector<std::unique_ptr<FrameServer>> listening_;
};

}  // namespace cairn::testing
