// Snapshots on disk: one that is coming in is written aside and checked, and gets its name only
// when it is whole and durable, so that `directory`/snapshot is always a good one or none.
// Both classes are confined to one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/file.h"
#include "raft/storage/row_source.h"
#include "raft/storage/snapshot_stream.h"

namespace cairn {

class IncomingSnapshot {
 public:
  static constexpr size_t kMaxPieceBytes = 4u << 20;

  // Expects the snapshot of this point. `files` must outlive the object. An earlier attempt in the
  // directory must not be given pieces any more; a finished one stays until this takes its place.
  IncomingSnapshot(std::string directory, FileSystem& files, raft::SnapshotPoint expected)
      : directory_(std::move(directory)), files_(files), expected_(std::move(expected)) {}

  // Takes the piece that comes next. With the last one the whole snapshot is durable under its name
  // on return, and takes the place of one that was there.
  // kInvalidArgument: not the piece that comes next; kTooLarge: over kMaxPieceBytes: nothing
  // changes. kCorruption, kNotSupported: what came is not the expected snapshot; kNoSpace,
  // kIoError, kDiskFailed: it could not be written. After these it must be begun anew.
  Status Take(uint64_t offset, std::string_view data, bool last);

  uint64_t next_offset() const { return next_offset_; }
  bool complete() const { return complete_; }

 private:
  Status Check(uint64_t offset, std::string_view data) const;
  Status Absorb(std::string_view data);
  Status OpenFile();
  Status WriteBuffered();
  Status Finish();

  const std::string directory_;
  FileSystem& files_;
  const raft::SnapshotPoint expected_;
  std::unique_ptr<File> file_;  // opened by the first piece
  SnapshotDecoder decoder_{nullptr};
  std::string buffered_;       // came in, not written yet
  uint64_t written_ = 0;       // bytes in the file
  uint64_t next_offset_ = 0;
  bool complete_ = false;
  Status failure_;
};

class SnapshotFileReader final : public RowSource {
 public:
  // kNotFound: there is none. kCorruption, kNotSupported: its head is bad, or of another version.
  static Result<std::unique_ptr<SnapshotFileReader>> Open(const std::string& directory,
                                                          FileSystem& files);

  const raft::SnapshotPoint& point() const { return *decoder_.point(); }
  // A row of a block that is good; false when every byte has been checked.
  // kCorruption: names file and offset; rows that were given before are not to be used.
  Result<bool> Next(std::string& key, std::string& value) override;

 private:
  SnapshotFileReader(std::string path, std::unique_ptr<File> file);
  // Decodes some more of the file.
  Status ReadOn();

  const std::string path_;
  const std::unique_ptr<File> file_;
  std::deque<std::pair<std::string, std::string>> rows_;  // decoded, not handed out
  SnapshotDecoder decoder_;
  uint64_t offset_ = 0;
  bool at_end_ = false;  // of the file, and all of it is right
};

// Removes a snapshot, unfinished ones too. Durable on return; none there is ok.
Status RemoveSnapshotFile(const std::string& directory, FileSystem& files);

}  // namespace cairn
