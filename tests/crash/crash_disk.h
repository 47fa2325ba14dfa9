// The disk of one machine in memory, whose power can go at any change of any file: data files and
// LevelDB's alike.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/common/forgetful_files.h"
#include "tests/crash/crash_bug.h"

namespace cairn::crash {

// Confined to one thread.
class CrashDisk {
 public:
  explicit CrashDisk(CrashBug bug) : bug_(bug) {}

  // The files as a new process sees them, until it ends: then every call answers an error. At most
  // one process runs.
  FileSystem& Attach();
  // The process ends as by kill -9: what it wrote stays in the page cache.
  void Detach();

  // The power goes in the middle of the `change`-th change from now on (1: the next).
  void CutAt(uint64_t change);
  void NeverCut() { left_ = kNever; }
  bool was_cut() const { return was_cut_; }
  // The change during which it went: "sync index/000007.log".
  const std::string& cut_during() const { return cut_during_; }
  // Changes so far: writes, syncs, truncations, names made, moved and removed.
  uint64_t changes() const { return changes_; }

  // Ends the process; what was not synced is lost as `random` decides.
  void LosePower(std::mt19937_64& random);

  // What is done in the store, for seeded bugs only.
  void SetSealing(bool sealing) { sealing_ = sealing; }
  void SetIndexSync(bool sync) { index_sync_ = sync; }

  ForgetfulFiles& medium() { return files_; }

 private:
  class Process;
  class ProcessFile;
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // False: the power went before this change, or goes in its middle; `takes_effect` says whether
  // the change still does.
  bool Begin(const char* what, const std::string& path, bool& takes_effect);
  bool Forgets(const std::string& path) const;
  bool ForgetsDirectory(const std::string& path) const;

  const CrashBug bug_;
  ForgetfulFiles files_;
  std::shared_ptr<bool> running_;
  std::vector<std::unique_ptr<FileSystem>> processes_;
  uint64_t changes_ = 0;
  uint64_t left_ = kNever;
  bool was_cut_ = false;
  std::string cut_during_;
  bool sealing_ = false;
  bool index_sync_ = false;
};

}  // namespace cairn::crash
