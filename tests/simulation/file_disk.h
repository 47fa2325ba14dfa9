// A disk of bytes: the metaserver's own log storage over files in memory. Segments are small, so
// that they are rolled, recycled and compacted all the time. Each start checks what was promised.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/disk.h"
#include "tests/simulation/disk_files.h"
#include "tests/simulation/disk_promises.h"

namespace cairn::simulation {

// Thread-compatible.
class FileDisk final : public Disk {
 public:
  FileDisk(ServerId self, size_t segment_bytes) : self_(self), segment_bytes_(segment_bytes) {}

  // kCorruption: also if the log is not what the disk had promised.
  Result<raft::StartState> Open(const raft::SnapshotPoint& applied) override;
  Incarnation incarnation() const override { return promises_.incarnation(); }

  Status Write(const raft::WriteBatch& batch) override;
  void WritePartly(const raft::WriteBatch& batch, bool torn, Random& random) override;
  Status Compact(LogIndex through) override;
  Status Reset(LogIndex first) override;
  Status ForgetLost() override;
  Status Close() override;

  LogIndex first_index() const override;
  LogIndex last_index() const override;
  LogIndex lost() const override { return promises_.lost(); }
  raft::HardState hard_state() const override { return promises_.hard_state(); }
  std::optional<Term> TermAt(LogIndex index) const override;
  LogIndex synced() const override { return promises_.synced(); }

  Result<std::vector<LogEntry>> ReadEntries(LogIndex from, size_t max_bytes) override;

  void LosePower(Random& random) override;
  bool LosePowerAfter(uint64_t changes, Random& random) override;
  void SetFull(bool full) override { files_.SetFull(full); }
  void Heal() override;
  bool FlipBit(Random& random) override;
  bool has_hidden_damage() const override { return promises_.has_damage(); }

  SegmentCounts segments() const override { return files_.segments(); }

 private:
  // Where an entry's record lies, without its padding: that no checksum covers.
  struct Place {
    std::string path;
    uint64_t offset = 0;
    size_t size_bytes = 0;
  };
  Place Find(LogIndex index);
  Status Judge(const Status& status) const;

  const ServerId self_;
  const size_t segment_bytes_;
  DiskFiles files_;
  std::unique_ptr<LogStorage> storage_;  // of the newest process; none after a loss of power
  DiskPromises promises_;
};

}  // namespace cairn::simulation
