// The log of one member on disk: segments of records, oldest first, and the facts file. It writes,
// reads, cuts and forgets; it knows nothing of leaders or of what commands mean.
//
// A log is cut in one way only: a new segment is made where it shall end from now on. The moment
// its name is on disk the entries from there on are gone, whatever else is still to be removed, so
// that a crash leaves the old log or the new one and never parts of both.
//
// ReadEntries is thread-safe; everything else is confined to one thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"
#include "raft/core/ready.h"
#include "raft/core/start_state.h"
#include "raft/storage/log_facts.h"
#include "raft/storage/log_outline.h"
#include "raft/storage/log_recovery.h"
#include "raft/storage/log_segment.h"

namespace cairn {

struct LogStorageOptions {
  size_t segment_bytes = 16u << 20;
  // The state has everything up to here. REQUIRES: durably (rule M2).
  LogIndex applied;
  DamagePolicy on_damage = DamagePolicy::kRefuse;
};

class LogStorage final : public raft::LogReader {
 public:
  // Is there a log in `directory`? Without one Open begins a new log that belongs to nobody;
  // whether that is right, or a log was lost and this must not be its member any more (rule M4),
  // only the caller can know.
  static bool Exists(FileSystem& files, const std::string& directory);

  // Takes a new durable incarnation (rule M4), checks every record and cuts a torn tail; what is
  // left is on disk. The log then reaches from at most applied + 1 to at least applied: one that
  // does not begins anew behind `applied` (rule M2). Entries that were on disk and are damaged or
  // gone (rule M5):
  //   kRefuse    kCorruption; names the file and the offset.
  //   kRefetch   the log ends before them; lost() says how far it once reached.
  // kCorruption also when all segments or the facts are gone, for then so are its promises.
  // `files` must outlive the object.
  static Result<std::unique_ptr<LogStorage>> Open(const std::string& directory, FileSystem& files,
                                                  const LogStorageOptions& options);

  // Makes the hard state durable, then the entries; those of the log at or above the first new one
  // are replaced. Entries alone that replace none are one write and one fdatasync. After a crash
  // the log is the old one or, up to some entry, the new one.
  // kNoSpace: none of the entries is in the log, those that they were to replace may be gone, the
  // hard state may be durable; a later call may succeed. kDiskFailed: now and for ever, nothing is
  // written any more.
  // REQUIRES: the term never falls, a vote is cast once in a term; entries are consecutive, begin
  // within the log or right behind it, their terms never fall and are not above the hard state's.
  Status Write(const std::optional<raft::HardState>& hard_state, std::span<const LogEntry> entries);

  // Records of at most `max_bytes` together, their headers included, but at least one entry. While
  // a Write that replaces entries is under way these may still be read. kNotFound: no such entry.
  Result<std::vector<LogEntry>> ReadEntries(LogIndex from, size_t max_bytes) override;

  // Forgets segments that lie wholly at or below `through`, which the state has durably (rule M2);
  // the newest `kept_segments` stay. kNoSpace: some may have stayed; a later call may succeed.
  // REQUIRES: kept_segments > 0
  Status Compact(LogIndex through, size_t kept_segments = 1);
  // What first_index() will be after such a call. Readers are to be kept from what is before it
  // first, for then it is gone.
  LogIndex FirstAfterCompact(LogIndex through, size_t kept_segments = 1) const;

  // Empties the log; it begins at `first_index` from now on, which follows a snapshot that is the
  // state now. After a crash the log is as before, or this. kNoSpace: it is as before.
  Status Reset(LogIndex first_index);

  // Says who the log belongs to, and the encoded membership its group was born with; empty: it
  // joins a group. kExists: it belongs to another, or it has entries. kTooLarge: founders above
  // kMaxFoundersBytes.
  Status Adopt(ServerId self, std::string founders);

  // What was lost() has been fetched again.
  Status ForgetLost();

  // Notes in the facts file how far the log reaches, so that a missing tail will be noticed.
  Status Close();

  // What the core begins with. `applied` is what the state holds.
  raft::StartState MakeStartState(const raft::SnapshotPoint& applied) const;
  // nullopt: not in the log. One that differs from the state's at its index is for the caller to
  // resolve (rule M2).
  std::optional<Term> TermAt(LogIndex index) const { return outline_.TermAt(index); }

  LogIndex first_index() const;
  LogIndex last_index() const;  // first_index() - 1: empty
  size_t segment_count() const;
  Incarnation incarnation() const { return facts_.incarnation; }
  const raft::HardState& hard_state() const { return facts_.hard_state; }
  ServerId self() const { return facts_.self; }
  const std::string& founders() const { return facts_.founders; }
  LogIndex lost() const { return facts_.lost; }

 private:
  using SharedSegment = std::shared_ptr<LogSegment>;

  LogStorage(std::string directory, FileSystem& files, const LogStorageOptions& options)
      : directory_(std::move(directory)), files_(files), options_(options) {}

  Status Recover();
  Status CarryOut(const RecoveryPlan& plan, const std::vector<std::string>& leftovers);
  Status RemoveLeftovers(const std::vector<std::string>& paths);

  Status WriteEntries(std::span<const LogEntry> entries);
  void CheckFollows(std::span<const LogEntry> entries) const;
  Status WriteHardState(const raft::HardState& hard_state);
  Status SaveFacts(LogFacts facts);
  // The log is about to end before `first`: that must not look like damage to the next Open.
  Status LowerSyncedMark(LogIndex first);

  // Makes a segment at `first` with room for a batch: with its name on disk the log ends before it,
  // and with `begins_log` begins there. What is superseded is then removed.
  Status BeginSegment(LogIndex first, size_t batch_bytes, bool begins_log);
  Result<SharedSegment> CreateSegment(const log_format::SegmentHeader& header, size_t batch_bytes);
  // Returns the segments that are not in the log any more, newest first.
  std::vector<SharedSegment> PutIn(SharedSegment segment, bool begins_log);
  Status RetireOldest();
  // REQUIRES: `segment` is the storage's only reference.
  Status Retire(const SharedSegment& segment);

  struct Place {
    SharedSegment segment;  // keeps the file from being written again
    LogSegment::Range range;
  };
  // Where ReadEntries' entries lie: one moment's view of the log.
  std::vector<Place> Find(LogIndex from, size_t max_bytes) const;

  SharedSegment Newest() const;
  // What a call that writes may answer; remembers that the disk has failed.
  Status Judge(Status status);

  const std::string directory_;
  FileSystem& files_;
  const LogStorageOptions options_;
  LogFacts facts_;
  LogOutline outline_;
  std::optional<SpareFile> spare_;
  uint32_t next_serial_ = 0;  // of the segments of this start
  Status failure_;            // kDiskFailed once the disk was caught out

  mutable absl::Mutex mu_;  // acquired before LogSegment::mu_; not held while the disk is at work
  std::vector<SharedSegment> segments_ ABSL_GUARDED_BY(mu_);  // never empty after Open
};

}  // namespace cairn
