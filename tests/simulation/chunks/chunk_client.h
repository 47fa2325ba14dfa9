// One mount: reads, writes, syncs, truncates and removes, repeating each until it is answered, and
// tells the truth what it saw.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tests/simulation/chunks/chunk_damage.h"
#include "tests/simulation/chunks/file_truth.h"
#include "tests/simulation/chunks/map_keeper.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class ChunkClient {
 public:
  ChunkClient(ChunkWorld& world, Wires& wires, FileTruth& truth, MapKeeper& keeper,
              const ChunkDamage& damage, int number);
  void Start();
  // Begins nothing new; done() once what is under way has ended.
  void Finish() { finishing_ = true; }
  bool done() const { return done_; }

  // Its session ends without a word: it is gone, or it is a zombie, which goes on for a while with
  // the tokens it has. Then it is a new mount with a session of its own.
  void EndSession(bool zombie);
  bool has_session() const { return state_ == State::kServed; }
  SessionId session() const { return session_; }

  // For the end: reads every block in use through the primary.
  void ReadEverything(std::function<void()> then);

 private:
  enum class State { kServed, kZombie, kGone };
  void Run();
  void BeginAnew();
  // What its session held has passed on: no more of it may be answered.
  bool HasPassed() const;
  // Answered ok, although it was sent when all had passed on.
  bool IsServedInVain(const Result<RawReply>& reply, ChunkId id);
  InodeId ChooseFile();
  std::string TokenFor(InodeId inode);
  void DoSomething(InodeId inode);
  // False: it was given up, and may still take effect.
  bool Write(ChunkId id);
  void Read(ChunkId id, uint32_t block, uint32_t blocks);
  void Sync(ChunkId id);
  void NoteSynced(ChunkId id, Time begun, const Status& status);
  // Repeats the call to the primary until it ends for good, or this client has no more patience.
  // `prepare` fills the request and answers its address.
  template <typename Request, typename Prepare>
  Result<RawReply> Ask(v1::Method method, Request& request, const Payload& payload,
                       Prepare prepare);
  // As a mount has it: until an answer shows that it is old.
  const v1::PlacementGroup& RowOf(PgId group);
  std::optional<ServerId> Primary(PgId group);

  ChunkWorld& world_;
  Wires& wires_;
  FileTruth& truth_;
  MapKeeper& keeper_;
  const ChunkDamage& damage_;
  const int number_;
  SessionId session_;
  int lives_ = 0;
  State state_ = State::kServed;
  Time zombie_until_{};
  std::map<InodeId, std::string> tokens_;
  std::map<PgId, v1::PlacementGroup> map_;
  Random random_;
  Domain domain_;
  PortPtr port_;
  uint64_t sequence_ = 0;
  // Written, acknowledged, and in no sync since that was answered ok, nor reported as lost.
  struct Unsynced {
    Epoch oldest;  // in which the first of them was acknowledged
    std::vector<AcknowledgedWrite> writes;
  };
  std::map<ChunkId, Unsynced> unsynced_;
  Time asked_{};  // when the last request was sent
  bool finishing_ = false;
  bool done_ = false;
};

}  // namespace cairn::simulation::chunks
