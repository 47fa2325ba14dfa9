// Random work on the chunks of two files, and what may be on disk of it at any moment.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/chunk_truth.h"
#include "tests/crash/store_check.h"
#include "tests/crash/store_machine.h"

namespace cairn::crash {

// What a seed draws before the first operation.
struct Plan {
  uint64_t seed = 0;
  uint32_t chunks_per_file = 3;
  size_t ballast_bytes = 0;
  int steps = 0;
  bool trace = false;
};
Plan DrawPlan(uint64_t seed);

// Its functions return an error when a promise was broken, and OK when the power was cut: then
// nothing but LosePower may follow. Confined to one thread.
class Workload {
 public:
  Workload(const Plan& plan, CrashBug bug);

  StoreMachine& machine() { return machine_; }
  bool was_cut() const { return machine_.disk().was_cut(); }

  // Opens the store. Before that the power may have gone, or not.
  Status Start();
  Status Step();
  void LosePower(std::mt19937_64& random);
  // After LosePower and Start: that everything is as it may be.
  Status CheckAfterPowerCut();
  // The suspect blocks found are copied from elsewhere or accepted as they are.
  Status SettleSuspects();
  // Seals and closes; a power cut after that changes nothing.
  Status Finish();

  uint64_t suspects_met() const { return suspects_met_; }

 private:
  struct Entry {
    PgId group;
    ChunkTruth truth;
    std::vector<uint32_t> suspects;  // found and not settled
  };

  Status Write();
  Status WriteAt(ChunkId id, uint32_t offset, const std::string& bytes);
  Status Install();
  Status InstallAt(ChunkId id, uint32_t first, const std::string& bytes,
                   const std::vector<uint32_t>& absent);
  Status Read();
  Status CutFile();
  Status Remove();
  Status Drop();
  Status SyncSome();
  Status SyncAll();
  Status Seal();
  Status KillAndStart();
  Status CloseAndStart();
  Status Adopt(ChunkId id);
  // Sealed chunks are on disk.
  void SettleSealed();
  Status CheckNow();

  // The states a missed cut leads to before `id` is touched by a call that names its file's cuts.
  void ForeseeCut(ChunkId id);
  void ForeseeRemoval(ChunkId id);
  RowTruth NextRow(ChunkId id);
  // An error of the store is a broken promise unless the power is gone.
  Status Expect(const Status& status, const char* what);
  Status Broken(ChunkId id, const std::string& why);

  uint64_t Below(uint64_t n) { return random_() % n; }
  ChunkId AnyChunk();
  FileState& FileOf(ChunkId id) { return files_[id.inode]; }
  std::string RandomText(size_t size_bytes);
  void Trace(std::string_view what, ChunkId id = {}) const;

  const Plan plan_;
  StoreMachine machine_;
  std::mt19937_64 random_;
  std::map<InodeId, FileState> files_;
  std::map<ChunkId, Entry> chunks_;
  uint64_t counter_ = 0;
  uint64_t suspects_met_ = 0;
};

}  // namespace cairn::crash
