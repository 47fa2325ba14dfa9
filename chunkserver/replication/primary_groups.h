// What this server remembers of the groups it is the primary of: whether it may serve already, the
// versions it has given out, and which syncing members it is bringing up to date.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/attachment.h"
#include "chunkserver/replication/group_table.h"
#include "common/clock.h"

namespace cairn {

struct WriteTarget {
  ServerId server;
  std::shared_ptr<Attachment> counted;  // not null: tell it how the send ended
};

// Who must have a write, or an fsync, before it is answered, besides this server: active members
// and those who may become active at any moment.
struct Required {
  Standing standing;  // the group null when it is not known
  std::vector<ServerId> servers;
  // Until the epoch is recorded as activated nothing may be answered in it (rule C3).
  bool activated() const { return standing.group != nullptr && standing.group->activated; }
};

// Thread-safe. Continuations run without a lock held.
class PrimaryGroups {
 public:
  explicit PrimaryGroups(const GroupTable& table) : table_(table) {}

  // To be called for every change of the table, before anyone else hears of it. A group whose
  // primary this server has just become is not ready until SetEqual(): its copies may differ by
  // writes the old primary did not finish (rule C6); nor is one whose epoch is not activated
  // (rule C3). Takes the table as it is now, so that calls may come in any order; returns what it
  // took.
  Standing GroupChanged(PgId group);

  bool IsReady(PgId group) const;
  bool IsEqual(PgId group) const;
  void SetEqual(PgId group, Epoch epoch);  // nothing if the group has moved on
  // Runs `next` when the group is ready, with kStaleEpoch when this server is its primary no more,
  // with kUnavailable at the first ExpireWaiters() after the deadline.
  void WhenReady(PgId group, Deadline deadline, std::function<void(Status)> next);
  void ExpireWaiters();

  // Greater than all before it in this group, by any primary. Nothing when the group is not ready.
  std::optional<ChunkVersion> NextVersion(PgId group, Epoch epoch);

  // Who gets a write to `id` that is being ordered now, besides this server.
  std::vector<WriteTarget> Targets(const Group& group, ChunkId id);
  // Looks at table and catch-ups at once: a member that becomes active is found in either.
  Required RequiredOf(PgId group) const;
  // The same for a write to `id` that is on this disk: catch-ups that it is not waiting for will
  // compare the chunk.
  Required RequiredForWrite(PgId group, ChunkId id);
  bool IsPledged(PgId group, ServerId server) const;

  std::shared_ptr<Attachment> Attach(const Group& group, ServerId member);
  void Detach(PgId group, const Attachment& attachment);
  // The chunk was removed or trimmed here: catch-ups look at it again.
  void Touch(PgId group, ChunkId id);

 private:
  struct Waiter {
    Deadline deadline;
    std::function<void(Status)> next;
  };
  struct State {
    Epoch epoch;
    bool activated = false;
    bool equal = false;  // the copies are, and have been since this server became the primary
    bool ready() const { return activated && equal; }
    uint64_t counter = 0;
    std::map<ServerId, std::shared_ptr<Attachment>> attachments;
    std::vector<Waiter> waiters;
  };

  template <typename Decide>
  Required Find(PgId group, const Decide& must_have) const;

  const GroupTable& table_;
  mutable absl::Mutex mu_;  // acquired before the table's
  absl::flat_hash_map<PgId, State> groups_ ABSL_GUARDED_BY(mu_);  // those it is the primary of
};

}  // namespace cairn
