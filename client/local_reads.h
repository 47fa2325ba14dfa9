// Reads chunks of this host's chunkservers from their files. Only a shortcut: whatever is unusual
// is left to frames, which wait, mend, cut and know the errors. docs/formats/local_reads.md.
#pragma once

#include <atomic>
#include <list>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "client/cluster_map.h"
#include "client/local_grant.h"

namespace cairn::client {

// Thread-safe.
class LocalReads {
 public:
  static constexpr size_t kMostGrants = 256;  // each holds a descriptor
  // A chunk of which only so much is read once is not worth a grant.
  static constexpr uint32_t kWorthAsking = 64u << 10;
  static constexpr Duration kAskAgain = std::chrono::milliseconds(500);  // after a refusal
  static constexpr Duration kLookEvery = std::chrono::seconds(2);
  // One that was used within this time makes no room for another: of more chunks than there may be
  // grants, read all over, as many as possible keep theirs.
  static constexpr Duration kKept = std::chrono::seconds(1);
  static constexpr Duration kConnectAgain = std::chrono::seconds(3);
  // So often one read goes by frames all the same: a server that thinks it has no clients copies
  // to others as fast as it can (chunkserver/replication/copy_pace.h).
  static constexpr Duration kShowEvery = std::chrono::milliseconds(500);

  LocalReads(bool enabled, const Clock& clock, size_t most_grants = kMostGrants);

  // Whole blocks inside the chunk; nothing: frames have to be asked.
  std::optional<Payload> Read(const Route& route, const v1::ChunkAddress& chunk, uint32_t offset,
                              uint32_t length);
  // A read of that chunk would probably succeed: the kernel reads ahead of it.
  bool WillRead(const Route& route, ChunkId id);
  // Gives back what is of no use any more: as long as a removed file is open its room stays taken.
  // To be called every kLookEvery.
  void DropStale();
  // The session is over: what was given to it is given back.
  void EndSession(SessionId session);

  struct Counters {
    uint64_t reads = 0;    // believed
    uint64_t asked = 0;    // for grants
    uint64_t damaged = 0;  // nothing had changed, and yet a block did not match
  };
  Counters counters() const { return {reads_.load(), asked_.load(), damaged_.load()}; }

 private:
  struct Known {
    LocalGrantPtr grant;
    // There was a grant, or was none to be had, when the chunk's changes were so many. While they
    // grow from read to read it is not worth asking.
    std::optional<uint64_t> seen_change;
    BootTime ask_after;
    BootTime used;
    std::list<ChunkId>::iterator by_use;
  };
  struct Server {
    std::string socket;
    LocalDoorPtr door;
    BootTime connect_after;
    BootTime show_after;
  };

  // One of the two, or neither: frames have to be asked.
  struct Plan {
    LocalGrantPtr grant;
    LocalDoorPtr ask;
  };
  Plan PlanRead(const Route& route, const v1::ChunkAddress& chunk, uint32_t length);
  bool MakesRoom() const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // Null: it is not known, and there is no room.
  Known* Use(ChunkId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool MustShow(ServerId server) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  LocalDoorPtr DoorOf(const Route& route) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsWorthAsking(Known& known, bool is_new, uint32_t length, const LocalDoor& door, ChunkId id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  LocalGrantPtr Ask(const Route& route, const LocalDoorPtr& door, const v1::ChunkAddress& chunk);
  std::optional<Payload> ReadWith(const Route& route, const LocalGrantPtr& grant, ChunkId id,
                                  uint32_t offset, uint32_t length);
  void Refused(const LocalDoor& door, ChunkId id);
  void ForgetDoor(const Route& route, const LocalDoor& door);
  void CloseDoor(Server& server) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Clear() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const bool enabled_;
  const Clock& clock_;
  const size_t most_;
  std::atomic<uint64_t> reads_{0};
  std::atomic<uint64_t> asked_{0};
  std::atomic<uint64_t> damaged_{0};
  mutable absl::Mutex mu_;  // a leaf; not held while anything is read or asked
  SessionId session_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<ChunkId, Known> chunks_ ABSL_GUARDED_BY(mu_);
  std::list<ChunkId> by_use_ ABSL_GUARDED_BY(mu_);  // last used first
  absl::flat_hash_map<ServerId, Server> servers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn::client
