// One disk of a chunkserver: its directory, its chunks, their replication and a tie to the cluster
// of its own. To the cluster it is a server with an id; the process that it shares with other disks
// gives it ports, certificates and the way to the metaservers; no other disk can harm it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/hello.pb.h"
#include "chunkserver/chunkserver_config.h"
#include "chunkserver/replication/cluster_link.h"
#include "common/clock.h"
#include "common/fault_plan.h"
#include "common/file.h"
#include "common/status.h"
#include "rpc/dispatcher.h"
#include "rpc/tls.h"

namespace cairn {

class LocalGrants;

// What the disks of one process share. All of it must outlive them.
struct DiskSurroundings {
  const ChunkserverConfig* config = nullptr;
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  FaultPlan* faults = nullptr;
  std::shared_ptr<const TlsContext> tls;
  MetaserverCaller* metaserver = nullptr;
};

// How a disk joins. Both functions run on a thread of the disk, must be quick and not call back.
struct DiskJoin {
  v1::Endpoint frames;      // where its process listens
  ServerId chunkserver{0};  // the first disk of its process; 0: it is the first itself
  // The cluster knows this start of the disk as `id`. Once for each join.
  std::function<void(ServerId id)> joined;
  // The cluster refuses the disk for good: it serves nobody from now on.
  std::function<void(const Status&)> refused;
};

// Thread-safe.
class DiskServer {
 public:
  // Opens the directory and recovers what is in it; nothing is served yet. The error names what is
  // in the way; a disk that has failed is kDiskFailed.
  static Result<std::unique_ptr<DiskServer>> Open(std::string directory,
                                                  const DiskSurroundings& around);
  virtual ~DiskServer() = default;  // as a crash would

  virtual const std::string& directory() const = 0;
  // What serves the connections that want this disk.
  virtual const Dispatcher& dispatcher() const = 0;
  // What it says of itself.
  virtual v1::Hello MakeHello() const = 0;
  // Who lets clients on this host read by themselves; null: nobody does.
  virtual LocalGrants* local_grants() const { return nullptr; }
  // 0 until the cluster gave it one.
  virtual ServerId id() const = 0;
  // The cluster wants it no more.
  virtual bool refused() const = 0;

  // Replication and scrub begin; they wait for a map.
  virtual void Start() = 0;
  // Joins the cluster in the background. Once, after Start().
  virtual void Join(DiskJoin join) = 0;

  // In this order, each once: no heartbeat and no callback of Join() any more; then, when nobody
  // calls the dispatcher any more, the workers; then everything is durable and marked so. A disk
  // that has failed is never marked clean.
  virtual void Leave() = 0;
  virtual void StopWorkers() = 0;
  virtual Status Close() = 0;
};

}  // namespace cairn
