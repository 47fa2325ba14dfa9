// The disk of one simulated chunkserver: data files that lose unsynced sectors with the power, the
// rows of the index, and what its data directory remembers.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tests/common/forgetful_files.h"
#include "tests/simulation/chunks/memory_rows.h"
#include "tests/simulation/random.h"

namespace cairn::simulation::chunks {

// Thread-compatible.
class ChunkDisk {
 public:
  explicit ChunkDisk(std::string uuid) : uuid_(std::move(uuid)) {}

  const std::string& uuid() const { return uuid_; }
  MemoryRows& rows() { return rows_; }
  // The file system as one process sees it, until Detach(): then it gets nothing but errors.
  FileSystem& Attach();
  void Detach();

  void LosePower(Random& random);
  void SetFull(bool full) { full_ = full; }
  bool full() const { return full_; }
  // The next sync for which `now` holds fails.
  void FailSync(std::function<bool()> now) { fail_sync_ = std::move(now); }
  bool about_to_fail() const { return fail_sync_ != nullptr; }
  bool failed() const { return failed_; }  // a sync did: never to be used again
  // Flips a bit of one byte of a data file, on the medium. False: there is none.
  bool FlipBit(const std::string& path, uint64_t offset);
  static std::string PathOf(ChunkId id);  // of its data file
  // What is there; what lies beyond the end of the file is zeros. False: there is no such file.
  bool Peek(const std::string& path, uint64_t offset, std::span<std::byte> out);
  // The next so many reads of a file get something else than what is there, as a read beside a
  // write may.
  void SpoilReads(int count) { spoilt_reads_ = count; }

  uint64_t incarnation = 0;  // of the latest start, durable
  bool clean = true;         // closed in order
  bool booted = false;       // the machine has booted since it was closed or opened

 private:
  class Handle;
  class HandleFile;
  const std::string uuid_;
  ForgetfulFiles files_;
  MemoryRows rows_;
  bool full_ = false;
  int spoilt_reads_ = 0;
  std::function<bool()> fail_sync_;
  bool failed_ = false;
  std::shared_ptr<bool> attached_;  // false: the process is dead
  std::vector<std::unique_ptr<FileSystem>> handles_;
};

}  // namespace cairn::simulation::chunks
