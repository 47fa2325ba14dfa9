// Chunkservers that share one memory: every primary finds the bytes of every chunk there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "cairn/v1/chunk.pb.h"
#include "common/status.h"
#include "rpc/dispatcher.h"
#include "tests/support/fake_faults.h"

namespace cairn::testing {

// Thread-safe.
class FakeChunks {
 public:
  explicit FakeChunks(FaultScript* script) : script_(script) {}

  // Handlers of the chunkserver `server`.
  void Register(Dispatcher& dispatcher, uint32_t server);
  // Only `primary` serves `group`, at `epoch`; others answer kNotPrimary or kStaleEpoch.
  void SetGroup(uint32_t group, uint64_t epoch, uint32_t primary);
  // In the group's next epoch all its copies have lost power: what was not synced is zeros.
  void LosePower(uint32_t group);
  // Tokens of older keys have run out.
  void RefuseTokensBefore(uint32_t key);
  // The session is shut out.
  void Fence(uint64_t session);
  // From now on every answer to a write says so.
  void SetNearFull(bool near_full);
  uint32_t GroupOf(uint64_t inode, uint32_t index) const;  // of a chunk that was written; else 0

  void FlipByte(uint64_t inode, uint32_t index, uint32_t offset);  // without its checksum
  std::string Bytes(uint64_t inode, uint32_t index) const;         // empty: no such chunk
  uint64_t bytes_written() const;
  uint64_t writes_run() const;   // writes that were not retries of one that had run
  bool AllSynced(uint64_t inode) const;

 private:
  struct Chunk {
    std::string bytes;
    std::set<uint32_t> damaged_blocks;
    uint64_t generation = 0;
    bool synced = false;
    uint32_t group = 0;
    std::set<std::pair<uint64_t, uint64_t>> requests;
  };
  using Key = std::pair<uint64_t, uint32_t>;

  Status CheckPower(const v1::SyncChunksRequest& request) const;
  Status Check(const v1::ChunkAddress& address, uint32_t server);
  Status CheckToken(const v1::ChunkAddress& address, const std::string& token, uint32_t rights);
  void Cut(Chunk& chunk, const v1::ChunkAddress& address);
  Result<v1::ReadChunkResponse> Read(const v1::ReadChunkRequest& request, uint32_t server,
                                     Payload& answer);
  Result<v1::WriteChunkResponse> Write(const v1::WriteChunkRequest& request, uint32_t server,
                                       const Payload& data);
  Result<v1::SyncChunksResponse> Sync(const v1::SyncChunksRequest& request, uint32_t server);

  FaultScript* const script_;
  mutable absl::Mutex mu_;  // guards all that follows
  std::map<Key, Chunk> chunks_;
  std::map<uint32_t, std::pair<uint64_t, uint32_t>> groups_;  // epoch, primary
  std::map<uint32_t, uint64_t> power_lost_;                   // epoch, by group
  uint32_t oldest_key_ = 1;
  std::set<uint64_t> fenced_;
  bool near_full_ = false;
  uint64_t bytes_written_ = 0;
  uint64_t writes_run_ = 0;
};

}  // namespace cairn::testing
