// The words the store's tests are told in: one store in a directory of its own, on a disk whose
// every operation can be watched, and a clock that stands still.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "chunkserver/store/chunk_format.h"
#include "chunkserver/store/chunk_store.h"
#include "common/fault_plan.h"
#include "common/faulty_file.h"

namespace cairn {

inline ErrorCode CodeOf(const Status& status) {
  return status.code();
}
template <typename T>
ErrorCode CodeOf(const Result<T>& result) {
  return result.has_value() ? ErrorCode::kOk : result.error().code();
}
#define EXPECT_OK(expression) EXPECT_EQ(::cairn::CodeOf(expression), ::cairn::ErrorCode::kOk)
#define ASSERT_OK(expression) ASSERT_EQ(::cairn::CodeOf(expression), ::cairn::ErrorCode::kOk)

// One operation of the file layer that changes something or waits for the disk.
struct DiskOperation {
  // "write", "truncate", "punch", "sync", "create", "remove", "rename", "syncdir", "syncfs"
  std::string name;
  std::string path;
};

// Calls the watcher before and after each operation. `space`, where set, is what the disk says it
// has.
std::unique_ptr<FileSystem> MakeWatchedFiles(
    FileSystem& below, std::function<void(const DiskOperation&, bool after)> watcher,
    const std::optional<DiskSpace>* space = nullptr);

std::string MakeTestDirectory();
uint64_t TestSeed();  // CAIRN_SEED, or random; printed
std::vector<std::byte> RandomBytes(std::mt19937_64& random, size_t size_bytes);
std::vector<std::byte> Filled(size_t size_bytes, char with);
std::string Text(std::span<const std::byte> bytes);
std::vector<uint32_t> PieceCrcs(uint64_t offset, std::span<const std::byte> data);

class StoreTest : public testing::Test {
 protected:
  static constexpr PgId kGroup{7};
  static constexpr ChunkId kChunk{InodeId(1001), 0};

  StoreTest();
  ~StoreTest() override;

  void Open(bool clean_stop = false);
  void CloseAndOpen();
  // As kill -9 does: nothing is synced, nothing sealed.
  void KillAndOpen();

  // `change` runs in a process that is killed before or after its `step`-th operation on the disk;
  // the store is open again afterwards. False: it came through alive.
  bool KillAtStep(int step, const std::function<void()>& change);

  Status Write(uint64_t offset, std::span<const std::byte> data, ChunkId id = kChunk);
  Status Fill(uint64_t offset, size_t size_bytes, char with, ChunkId id = kChunk) {
    return Write(offset, Filled(size_bytes, with), id);
  }
  Result<ChunkRead> Read(uint32_t offset, uint32_t length, ChunkId id = kChunk) {
    return store_->Read(id, file_, offset, length);
  }
  // The bytes, or the error's name.
  std::string ReadText(uint32_t offset, uint32_t length, ChunkId id = kChunk);
  Result<size_t> SealAll();
  bool IsSealed(ChunkId id = kChunk);
  // Changes a byte of the data file behind the store's back.
  void FlipByte(uint64_t offset, ChunkId id = kChunk);
  // What the data file holds, whatever the rows say; zeros beyond its end.
  std::string RawText(uint64_t offset, size_t size_bytes, ChunkId id = kChunk);
  std::string PathOf(ChunkId id) const;
  // The file is cut at `length` from now on.
  void Cut(uint64_t length);

  std::string directory_ = MakeTestDirectory();
  ManualClock clock_;
  FaultPlan plan_;
  std::unique_ptr<FileSystem> faulty_ = MakeFaultyFileSystem(PosixFiles(), plan_);
  std::function<void(const DiskOperation&, bool after)> watcher_;
  std::optional<DiskSpace> space_;  // as it is, or made up
  std::unique_ptr<FileSystem> files_;
  FileState file_{.chunk_size = kMinChunkSize, .generation = 1, .cuts = {}};
  uint64_t version_ = 0;
  std::vector<std::string> disk_failures_;
  std::unique_ptr<ChunkStore> store_;
};

}  // namespace cairn
