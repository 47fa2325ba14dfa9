#include "chunkserver/replication/replica.h"

#include "common/logging.h"

namespace cairn {
namespace {
constexpr Duration kSealEvery = std::chrono::seconds(5);
constexpr Duration kExpireEvery = std::chrono::milliseconds(50);
}  // namespace

Replica::Replica(ChunkStore& store, GroupTable& table, Peers& peers, ClusterReports& reports,
                 ChunkChanges& changes)
    : context_(store, table, peers, reports, changes) {}

Replica::~Replica() {
  Stop();
}

void Replica::Start() {
  context_.table.OnChange([this](const std::vector<PgId>& groups) { GroupsChanged(groups); });
  context_.disk.RunAfter(kSealEvery, [this] { SealIdle(); });
  context_.urgent.RunAfter(kExpireEvery, [this] { ExpireWaiters(); });
}

void Replica::Stop() {
  context_.StopWorkers();
}

void Replica::GroupsChanged(const std::vector<PgId>& groups) {
  for (const PgId group : groups) {
    const Standing standing = context_.primaries.GroupChanged(group);
    writes_.GroupChanged(group);
    if (standing.role == OwnRole::kPrimary) jobs_.GroupChanged(group);
    if (standing.role == OwnRole::kNone) surplus_.GroupChanged(standing);
  }
}

void Replica::SealIdle() {
  const Result<size_t> sealed = context_.store.SealIdle();
  context_.HeardStore(internal::StatusOf(sealed));
  if (!sealed.has_value()) LOG_WARN("sealing idle chunks failed reason={}", sealed.error());
  context_.disk.RunAfter(kSealEvery, [this] { SealIdle(); });
}

void Replica::ExpireWaiters() {
  context_.primaries.ExpireWaiters();
  context_.urgent.RunAfter(kExpireEvery, [this] { ExpireWaiters(); });
}

}  // namespace cairn
