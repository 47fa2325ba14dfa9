#include "cli/disk_target.h"

#include <thread>
#include <utility>

#include "cli/chunkservers.h"

namespace cairn {

namespace {
Status NothingMeant(const v1::GetStatusResponse& status, const DiskTarget& target) {
  const v1::ChunkserverStatus* disk = FindChunkserver(status, target.id);
  if (target.one_disk || disk == nullptr) {
    return Status::Error(ErrorCode::kNotFound, "there is no {}", target.name());
  }
  return Status::Error(ErrorCode::kNotFound,
                       "there is no server {}: it is a disk of server {}, see 'cairn disk'",
                       target.id, ChunkserverOf(*disk));
}
}  // namespace

std::string DiskTarget::name() const {
  return fmt::format("{} {}", one_disk ? "disk" : "server", id);
}

Result<std::vector<v1::ChunkserverStatus>> PickDisks(const v1::GetStatusResponse& status,
                                                     const DiskTarget& target) {
  std::vector<v1::ChunkserverStatus> disks;
  for (const auto& disk : status.chunkservers()) {
    const uint32_t id = target.one_disk ? disk.server() : ChunkserverOf(disk);
    if (id == target.id) disks.push_back(disk);
  }
  if (disks.empty()) return Fail(NothingMeant(status, target));
  return disks;
}

// A leader that has just begun or is about to end lists no server at all.
Result<std::vector<v1::ChunkserverStatus>> FetchDiskStatus(AdminClient& client,
                                                           const DiskTarget& target) {
  const Deadline deadline = Deadline::After(kPatientSurveyTime);
  do {
    v1::GetStatusResponse status;
    RETURN_IF_ERROR(client.CallLeader("GetStatus", v1::GetStatusRequest(), status,
                                      Deadline::After(kChangeTime)));
    if (!status.chunkservers().empty()) return PickDisks(status, target);
    std::this_thread::sleep_for(kRest);
  } while (!deadline.Passed());
  return Fail(ErrorCode::kUnavailable, "the leader lists no chunkservers");
}

Result<std::vector<uint32_t>> FetchDisks(AdminClient& client, const DiskTarget& target) {
  ASSIGN_OR_RETURN(const std::vector<v1::ChunkserverStatus> disks,
                   FetchDiskStatus(client, target));
  std::vector<uint32_t> ids;
  for (const v1::ChunkserverStatus& disk : disks) ids.push_back(disk.server());
  return ids;
}

}  // namespace cairn
