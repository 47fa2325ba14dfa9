// The files of one simulated machine: in memory, they lose what was not synced with the power
// (ForgetfulFiles), and can end in the middle of a change, or have no room for more.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/common/forgetful_files.h"
#include "tests/common/forwarding_files.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/random.h"

namespace cairn::simulation {

// Thread-compatible.
class DiskFiles final : public ForwardingFiles {
 public:
  DiskFiles() : ForwardingFiles(memory_) {}

  // Only so many more changes take effect: then whoever makes them is dead. Of a write that comes
  // then, so much of 1000 gets out.
  void CutAfter(uint64_t changes, int written_permille);
  bool was_cut() const { return was_cut_; }
  // Changes take effect again.
  void Mend();
  // A seeded bug has to know that a start is under way.
  void SetOpening(bool opening) { opening_ = opening; }
  // No file is made or gets longer. What was reserved can be written.
  void SetFull(bool full) { full_ = full; }
  void LosePower(Random& random);
  // On the medium: it stays whatever happens.
  void FlipBit(const std::string& path, uint64_t offset, unsigned bit);
  const SegmentCounts& segments() const { return segments_; }

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status SyncDirectory(const std::string& directory) override;

 private:
  class DiskFile;
  static constexpr uint64_t kNoCut = std::numeric_limits<uint64_t>::max();

  Status BeginChange();
  Status CheckRoom(bool grows) const;
  // By a seeded bug.
  bool ForgetsToSyncSegments() const;

  ForgetfulFiles memory_;
  uint64_t changes_left_ = kNoCut;
  int written_permille_ = 0;
  bool was_cut_ = false;
  bool full_ = false;
  bool opening_ = false;
  bool facts_were_renamed_ = false;  // for a seeded bug only
  SegmentCounts segments_;
};

}  // namespace cairn::simulation
