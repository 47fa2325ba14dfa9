#include "chunkserver/replication/replica_context.h"

#include <algorithm>

#include "common/logging.h"

namespace cairn {

uint64_t OwnSpace::available_bytes() {
  const BootTime now = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    if (asked_ != BootTime{} && now - asked_ < kAskEvery) return available_;
    asked_ = now;
  }
  const Result<DiskSpace> space = store_.Space();
  absl::MutexLock lock(&mu_);
  if (space.has_value()) {
    const uint64_t kept = AdmissionReserve(*space) + kAdmittedUnseen;
    available_ = space->available_bytes - std::min(space->available_bytes, kept);
  }
  return available_;
}

ReplicaContext::ReplicaContext(ChunkStore& the_store, GroupTable& the_table, Peers& the_peers,
                               ClusterReports& the_reports)
    : store(the_store),
      table(the_table),
      peers(the_peers),
      reports(the_reports),
      primaries(table),
      space(store),
      faults(reports, urgent) {}

ReplicaContext::~ReplicaContext() {
  takeovers.Stop();
  background.Stop();
  urgent.Stop();
  disk.Stop();
}

void ReplicaContext::HeardStore(const Status& status) {
  if (status.code() != ErrorCode::kDiskFailed) return;
  if (disk_failed.exchange(true)) return;
  LOG_ERROR("the disk has failed, this server stops serving; replace it reason={}",
            status.message());
  table.Revoke("its disk has failed");
}

}  // namespace cairn
