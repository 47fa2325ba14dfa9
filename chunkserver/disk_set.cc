#include "chunkserver/disk_set.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/logging.h"

namespace cairn {
namespace {

bool IsMeant(const DiskServer& disk, const v1::Hello& peer) {
  if (disk.refused()) return false;
  return peer.wanted_server() == 0 || peer.wanted_server() == disk.id().value;
}

// One of an older version would take what the wrong member of a group acknowledges for the right
// one's word. Tools mean the process.
bool MovesData(const v1::Hello& peer) {
  return peer.role() == v1::ROLE_CHUNKSERVER || peer.role() == v1::ROLE_METASERVER ||
         peer.role() == v1::ROLE_CLIENT;
}

using Disks = std::vector<std::unique_ptr<DiskServer>>;

// Those that the cluster knows go first: a chunkserver keeps its number when it gets a new disk.
Disks KnownFirst(Disks disks) {
  std::stable_partition(disks.begin(), disks.end(),
                        [](const auto& disk) { return disk->id() != ServerId(); });
  return disks;
}

}  // namespace

DiskSet::DiskSet(Disks disks) : disks_(KnownFirst(std::move(disks))) {
  CAIRN_CHECK(!disks_.empty());
}

Result<FrameService> DiskSet::Choose(const v1::Hello& peer) const {
  if (disks_.size() > 1 && peer.wanted_server() == 0 && MovesData(peer)) {
    return Fail(ErrorCode::kUnavailable, "{} disks listen here, and which is wanted is not said",
                disks_.size());
  }
  std::string here;
  for (size_t i = 0; i < disks_.size(); ++i) {
    const auto& disk = disks_[i];
    if (IsMeant(*disk, peer)) return FrameService{&disk->dispatcher(), disk->MakeHello(), i};
    if (disk->refused() || disk->id() == ServerId()) continue;
    here += fmt::format("{}{}", here.empty() ? "" : ", ", disk->id());
  }
  return Fail(ErrorCode::kUnavailable, "server {} is wanted, but here is only: {}",
              peer.wanted_server(), here.empty() ? "nobody of the cluster" : here);
}

LocalGrants* DiskSet::GrantsOf(ServerId server) const {
  for (const auto& disk : disks_) {
    if (server != ServerId() && disk->id() == server && !disk->refused()) {
      return disk->local_grants();
    }
  }
  return nullptr;
}

void DiskSet::Join(const v1::Endpoint& frames, std::function<void(const Status&)> all_refused) {
  frames_ = frames;
  all_refused_ = std::move(all_refused);
  for (const auto& disk : disks_) disk->Start();
  JoinAsFirst(0);
}

void DiskSet::JoinAsFirst(size_t disk) {
  DiskJoin join;
  join.frames = frames_;
  join.joined = [this, disk](ServerId id) { JoinOthers(disk, id); };
  join.refused = [this, disk](const Status& reason) {
    Refused(disk, reason);
    absl::ReleasableMutexLock lock(&mu_);
    const bool next_is_first = !others_join_ && disk + 1 < disks_.size();
    lock.Release();
    if (next_is_first) JoinAsFirst(disk + 1);
  };
  disks_[disk]->Join(std::move(join));
}

void DiskSet::JoinOthers(size_t first, ServerId chunkserver) {
  {
    absl::MutexLock lock(&mu_);
    // The first joins again whenever the cluster has forgotten that it did.
    if (std::exchange(others_join_, true)) return;
  }
  for (size_t disk = first + 1; disk < disks_.size(); ++disk) {
    DiskJoin join;
    join.frames = frames_;
    join.chunkserver = chunkserver;
    join.joined = [](ServerId) {};
    join.refused = [this, disk](const Status& reason) { Refused(disk, reason); };
    disks_[disk]->Join(std::move(join));
  }
}

void DiskSet::Refused(size_t disk, const Status& reason) {
  LOG_ERROR("the cluster refuses a disk directory={} reason={}", disks_[disk]->directory(), reason);
  Status first;
  {
    absl::MutexLock lock(&mu_);
    if (first_reason_.ok()) first_reason_ = reason;
    if (++refused_ < disks_.size()) return;
    first = first_reason_;
  }
  all_refused_(first);
}

// In order: a disk begins to join on a thread of one before it, which has ended then.
void DiskSet::Leave() {
  for (const auto& disk : disks_) disk->Leave();
}

void DiskSet::StopWorkers() {
  for (const auto& disk : disks_) disk->StopWorkers();
}

Status DiskSet::Close() {
  Status first;
  for (const auto& disk : disks_) {
    const Status closed = disk->Close();
    if (closed.ok()) continue;
    LOG_ERROR("a disk is not left in order directory={} reason={}", disk->directory(), closed);
    if (first.ok()) first = closed;
  }
  return first;
}

}  // namespace cairn
