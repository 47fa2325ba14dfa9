// What this chunkserver knows of the cluster map, and whether it may act on it: who is in which
// placement group at which epoch, where servers listen, and how long the lease lasts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/common.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

struct GroupMember {
  ServerId server;
  bool active = false;
  Incarnation incarnation;  // the one that is active
  bool leaving = false;     // no member any more once it knows (rule C1)
};

// One placement group at one epoch. Immutable.
struct Group {
  PgId id;
  Epoch epoch;
  PoolId pool;
  // Its primary has been recorded as serving in this epoch: before that nothing may be answered
  // (rule C3).
  bool activated = false;
  // What was written in an older epoch, and not synced in it, may be gone: all copies lost power.
  Epoch power_lost;
  uint64_t changed_at = 0;  // map version
  std::vector<GroupMember> members;

  std::optional<ServerId> primary() const;  // the first active member
  bool IsMember(ServerId server) const;
  bool IsActive(ServerId server) const;
  size_t active_count() const;
  std::vector<ServerId> Active(ServerId except) const;
  std::vector<ServerId> Syncing() const;
  std::vector<ServerId> Leaving() const;
};
using GroupPtr = std::shared_ptr<const Group>;

// kNone also for a leaving member, and for a server that was restarted since it was active (C2).
enum class OwnRole { kNone, kSyncing, kActive, kPrimary };

struct Standing {
  GroupPtr group;
  OwnRole role = OwnRole::kNone;
  uint32_t min_active = 1;
};

struct ServerLocation {
  ServerId id;
  v1::Endpoint frames;
  Incarnation incarnation;
  uint64_t scrub_order = 0;  // what operators asked of it last
};

// Hears, with the table's lock held, what ends the right to serve or prolongs it: whoever looks at
// the table afterwards can be sure that it was heard. Must be quick and not call back.
class StandingWatch {
 public:
  virtual ~StandingWatch() = default;
  virtual void LeaseExtended(BootTime until) = 0;
  virtual void Revoked() = 0;
  virtual void GroupChanged(PgId group) = 0;  // anything of it
  virtual void AllGroupsChanged() = 0;
};

// Thread-safe. Observers run without a lock held, on the thread that brought the change.
class GroupTable {
 public:
  explicit GroupTable(const Clock& clock) : clock_(clock) {}

  void SetSelf(ServerId self, Incarnation incarnation);
  ServerId self() const;
  Incarnation incarnation() const;

  // The lease never ends earlier than it did before, unless it was revoked.
  void ExtendLease(BootTime until);
  // From now on nothing is served, whatever the metaserver answers: the disk cannot be trusted.
  void Revoke(std::string why);

  // Takes groups that are newer, servers, pools and settings. `whole` says that these are all the
  // changes up to map.version(); otherwise map_version() stays.
  void Apply(const v1::ClusterMap& map, bool whole);
  uint64_t map_version() const;
  // How often all changes have been taken.
  uint64_t refreshes() const;

  // May this server act in `group` at `epoch` now?
  // kUnavailable: the lease has run out (rule C1). kStaleEpoch: another epoch is known here, or the
  // group is not; a newer one asks for a refresh.
  Result<Standing> Stand(PgId group, Epoch epoch) const;
  // As it is known now, whatever the epoch; group is null when unknown. No lease needed.
  Standing Current(PgId group) const;
  Status CheckLease() const;
  std::optional<ServerLocation> Locate(ServerId server) const;
  std::vector<ServerLocation> Servers() const;
  v1::Settings settings() const;
  std::vector<PgId> Led() const;   // groups this server is the primary of
  std::vector<PgId> Kept() const;  // groups it is an active member of, primary or not; in order

  // All are set before the servers start.
  void Watch(StandingWatch* watch) { watch_ = watch; }
  void OnChange(std::function<void(const std::vector<PgId>&)> observer);
  void OnWantRefresh(std::function<void()> refresh);
  void WantRefresh() const;

 private:
  std::vector<PgId> GroupsWhere(bool (*wanted)(OwnRole)) const;
  Standing StandingOf(const GroupPtr& group) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  Status LeaseStatus() const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  std::function<void(const std::vector<PgId>&)> observer_;
  std::function<void()> refresh_;
  StandingWatch* watch_ = nullptr;
  mutable absl::Mutex mu_;
  ServerId self_ ABSL_GUARDED_BY(mu_);
  Incarnation incarnation_ ABSL_GUARDED_BY(mu_);
  BootTime lease_until_ ABSL_GUARDED_BY(mu_);
  std::string revoked_ ABSL_GUARDED_BY(mu_);
  uint64_t map_version_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t refreshes_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<PgId, GroupPtr> groups_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<PoolId, uint32_t> min_active_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<ServerId, ServerLocation> servers_ ABSL_GUARDED_BY(mu_);
  v1::Settings settings_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
