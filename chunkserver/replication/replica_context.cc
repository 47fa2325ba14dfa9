#include "chunkserver/replication/replica_context.h"

#include <algorithm>

#include "common/disk_room.h"
#include "common/logging.h"

namespace cairn {

uint64_t OwnSpace::available_bytes() {
  return Ask().available_bytes;
}

bool OwnSpace::near_full() {
  return Ask().near_full;
}

OwnSpace::Room OwnSpace::Ask() {
  const BootTime now = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    if (asked_ != BootTime{} && now - asked_ < kAskEvery) return room_;
    asked_ = now;
  }
  const Result<DiskSpace> space = store_.Space();
  absl::MutexLock lock(&mu_);
  if (space.has_value()) {
    const uint64_t kept = AdmissionReserve(*space) + kAdmittedUnseen;
    room_.available_bytes = space->available_bytes - std::min(space->available_bytes, kept);
    room_.near_full = IsNearFull(space->total_bytes, room_.available_bytes);
  }
  return room_;
}

ReplicaContext::ReplicaContext(ChunkStore& the_store, GroupTable& the_table, Peers& the_peers,
                               ClusterReports& the_reports, ChunkChanges& changes)
    : store(the_store),
      table(the_table),
      peers(the_peers),
      reports(the_reports),
      gates(changes),
      primaries(table),
      space(store),
      faults(reports, urgent) {}

ReplicaContext::~ReplicaContext() {
  StopWorkers();
}

void ReplicaContext::StopWorkers() {
  for (Workers* const workers : {&takeovers, &background, &urgent, &installs, &disk}) {
    workers->Stop();
  }
}

v1::WriteChunkResponse ReplicaContext::WriteAnswer(PgId group) {
  bool near_full = space.near_full();
  const Standing standing = table.Current(group);
  if (standing.group != nullptr) {
    for (const ServerId server : standing.group->Active(table.self())) {
      near_full = near_full || faults.IsNearFull(server);
    }
  }
  v1::WriteChunkResponse answer;
  answer.set_near_full(near_full);
  return answer;
}

void ReplicaContext::HeardStore(const Status& status) {
  if (status.code() != ErrorCode::kDiskFailed) return;
  if (disk_failed.exchange(true)) return;
  LOG_ERROR("the disk has failed, this server stops serving; replace it reason={}",
            status.message());
  table.Revoke("its disk has failed");
}

}  // namespace cairn
