// Checks the token of every frame of a client: sealed by a metaserver, for this session and inode,
// not run out; and that the session is not shut out (rule L1). A seal is checked once and then
// remembered, so that a frame costs a look into a table.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/cluster.pb.h"
#include "chunkserver/replication/fence_list.h"
#include "chunkserver/replication/group_table.h"
#include "chunkserver/service/access_gate.h"
#include "common/clock.h"

namespace cairn {

// Thread-safe.
class TokenGate final : public AccessGate {
 public:
  static constexpr size_t kRememberedPerShard = 4096;
  static constexpr Duration kAskForKeyEvery = std::chrono::milliseconds(500);

  // A key that is not known here yet asks `table` for a refresh, now and then: anybody can make up
  // a number.
  TokenGate(FenceList& fences, const GroupTable& table, const Clock& clock)
      : fences_(fences), table_(table), clock_(clock) {}

  // Takes keys and time of a heartbeat's answer.
  void Hear(const v1::HeartbeatResponse& answer);
  uint32_t key_known() const;  // the latest; 0: none

  Result<SessionTicket> Admit(const v1::ChunkAddress& chunk, std::string_view token,
                              uint32_t rights) override;

  uint64_t seals_checked() const { return seals_checked_.load(); }

 private:
  // What a token says whose seal was checked.
  struct Checked {
    SessionId session;
    uint64_t inode = 0;
    uint32_t rights = 0;
    int64_t expires = 0;
    uint64_t generation = 0;
    SessionUsePtr use;
  };
  // So that a frame's bytes are looked up as they are.
  struct BytesHash {
    using is_transparent = void;
    size_t operator()(std::string_view bytes) const { return std::hash<std::string_view>()(bytes); }
  };
  // By all of the token's bytes: under its seal alone other claims would be believed.
  struct Shard {
    absl::Mutex mu;
    absl::flat_hash_map<std::string, Checked, BytesHash, std::equal_to<>> checked
        ABSL_GUARDED_BY(mu);
  };
  static constexpr size_t kShards = 16;

  Shard& ShardOf(std::string_view token);
  std::optional<Checked> Find(std::string_view token);
  Result<Checked> Check(std::string_view token);
  Result<std::string> SecretOf(uint32_t key);
  Status CheckUse(const Checked& checked, const v1::ChunkAddress& chunk, uint32_t rights) const;

  FenceList& fences_;
  const GroupTable& table_;
  const Clock& clock_;
  std::array<Shard, kShards> shards_;
  std::atomic<uint64_t> seals_checked_{0};
  // The metaservers' time less our boot time, in nanoseconds; it stands still between heartbeats.
  std::atomic<int64_t> time_offset_{0};
  mutable absl::Mutex keys_mu_;
  std::optional<BootTime> asked_for_key_ ABSL_GUARDED_BY(keys_mu_);
  std::map<uint32_t, std::string> keys_ ABSL_GUARDED_BY(keys_mu_);
};

}  // namespace cairn
