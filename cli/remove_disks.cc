#include "cli/remove_disks.h"

#include "cli/admin_client.h"

namespace cairn {

namespace {
// The cluster looks at each disk as its turn comes: with several, none shall go before all can. One
// that is away may be let go of by groups that have other copies, which the cluster decides.
Status CheckAllEmpty(const std::vector<v1::ChunkserverStatus>& disks, const DiskTarget& target) {
  if (disks.size() < 2) return OkStatus();
  for (const v1::ChunkserverStatus& disk : disks) {
    const uint32_t groups = disk.active_groups() + disk.syncing_groups();
    if (!disk.up() || groups == 0) continue;
    return Status::Error(ErrorCode::kNotEmpty,
                         "disk {} of {} holds copies of {} placement groups: drain it first",
                         disk.server(), target.name(), groups);
  }
  return OkStatus();
}

// Each disk has a number of its own, which changes with the removal of another.
Status CheckGivenUp(const std::vector<v1::ChunkserverStatus>& disks, const Removal& removal) {
  if (removal.give_up_groups == 0 || disks.size() == 1) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument,
                       "{} has {} disks: give up what each alone has with 'cairn disk remove'",
                       removal.target.name(), disks.size());
}

Result<v1::RemoveServerResponse> RemoveOne(AdminClient& client, uint32_t disk, uint32_t give_up) {
  v1::RemoveServerRequest request;
  request.set_server(disk);
  request.set_give_up_groups(give_up);
  v1::RemoveServerResponse response;
  const Status status =
      client.CallLeader("RemoveServer", request, response, Deadline::After(kChangeTime));
  // An answer was lost: it is gone by our doing.
  const bool done_before = status.code() == ErrorCode::kNotFound && client.repeated();
  if (!done_before) RETURN_IF_ERROR(status);
  return response;
}

void PrintLoss(const v1::RemoveServerResponse& removed, const Console& console) {
  if (removed.lost_groups() > 0) {
    console.out << removed.lost_groups()
                << " placement groups are lost: 'cairn fsck' lists the files\n";
  }
  if (removed.doubted_groups() > 0) {
    console.out << removed.doubted_groups()
                << " placement groups go on once their other copies are back\n";
  }
}
}  // namespace

void AddGiveUpOption(CLI::App& verb, Removal& removal) {
  verb.add_option("--give-up", removal.give_up_groups,
                  "Also if this many placement groups may be on no other server")
      ->type_name("GROUPS");
}

Result<ExitCode> RemoveDisks(const Removal& removal, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(removal.cluster));
  ASSIGN_OR_RETURN(const auto disks, FetchDiskStatus(client, removal.target));
  RETURN_IF_ERROR(CheckGivenUp(disks, removal));
  RETURN_IF_ERROR(CheckAllEmpty(disks, removal.target));
  v1::RemoveServerResponse removed;
  for (const v1::ChunkserverStatus& disk : disks) {
    ASSIGN_OR_RETURN(removed, RemoveOne(client, disk.server(), removal.give_up_groups));
    if (!removal.cluster.json) continue;
    console.out << fmt::format("{{\"removed\":{},\"lost_groups\":{},\"doubted_groups\":{}}}\n",
                               disk.server(), removed.lost_groups(), removed.doubted_groups());
  }
  if (removal.cluster.json) return ExitCode::kOk;
  console.out << removal.target.name() << " is out of the cluster; " << removal.hint << "\n";
  PrintLoss(removed, console);
  return ExitCode::kOk;
}

}  // namespace cairn
