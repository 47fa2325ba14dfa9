#include "tests/simulation/chunks/chunk_disk.h"

#include <algorithm>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "chunkserver/store/chunk_format.h"
#include "tests/common/forwarding_files.h"
#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {
constexpr uint64_t kDiskBytes = uint64_t{16} << 30;
constexpr uint64_t kFullBytes = 24u << 20;  // less than admission keeps, more than the index needs
Status Dead() {
  return Status(ErrorCode::kIoError, "the process is dead");
}
}  // namespace

class ChunkDisk::HandleFile final : public File {
 public:
  HandleFile(ChunkDisk& disk, std::shared_ptr<bool> alive, std::unique_ptr<File> below)
      : disk_(disk), alive_(std::move(alive)), below_(std::move(below)) {}
  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    if (!*alive_) return Fail(Dead());
    Result<size_t> length = below_->Read(offset, out);
    if (length.has_value() && *length > 0 && disk_.spoilt_reads_ > 0) {
      --disk_.spoilt_reads_;
      out.front() ^= std::byte{4};
    }
    return length;
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    if (!*alive_) return Dead();
    ASSIGN_OR_RETURN(const uint64_t size_bytes, below_->Size());
    if (disk_.full_ && offset + data.size() > size_bytes) {
      return Status(ErrorCode::kNoSpace, "the disk is full");
    }
    return below_->Write(offset, data);
  }
  Status Sync() override {
    if (!*alive_) return Dead();
    if (disk_.fail_sync_ != nullptr && disk_.fail_sync_()) {
      disk_.fail_sync_ = nullptr;
      disk_.failed_ = true;
      return Status(ErrorCode::kIoError, "fsync failed");
    }
    return ChunkBugIs(ChunkBug::kDataNotSynced) ? OkStatus() : below_->Sync();
  }
  Status Truncate(uint64_t size_bytes) override {
    return *alive_ ? below_->Truncate(size_bytes) : Dead();
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    return *alive_ ? below_->PunchHole(offset, length) : Dead();
  }
  Status Preallocate(uint64_t size_bytes) override {
    return *alive_ ? below_->Preallocate(size_bytes) : Dead();
  }
  Result<uint64_t> Size() override {
    if (!*alive_) return Fail(Dead());
    return below_->Size();
  }

 private:
  ChunkDisk& disk_;
  const std::shared_ptr<bool> alive_;
  const std::unique_ptr<File> below_;
};

class ChunkDisk::Handle final : public FileSystem {
 public:
  Handle(ChunkDisk& disk, std::shared_ptr<bool> alive) : disk_(disk), alive_(std::move(alive)) {}
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    if (!*alive_) return Fail(Dead());
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, disk_.files_.Open(path, mode));
    return std::make_unique<HandleFile>(disk_, alive_, std::move(file));
  }
  Status MakeDirectory(const std::string& path) override {
    return *alive_ ? disk_.files_.MakeDirectory(path) : Dead();
  }
  Status Remove(const std::string& path) override {
    return *alive_ ? disk_.files_.Remove(path) : Dead();
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return *alive_ ? disk_.files_.Rename(from, to) : Dead();
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    if (!*alive_) return Fail(Dead());
    return disk_.files_.List(directory);
  }
  bool Exists(const std::string& path) override { return *alive_ && disk_.files_.Exists(path); }
  Status SyncDirectory(const std::string& directory) override {
    return *alive_ ? disk_.files_.SyncDirectory(directory) : Dead();
  }
  Status SyncAll(const std::string& path) override {
    if (!*alive_) return Dead();
    return ChunkBugIs(ChunkBug::kDataNotSynced) ? OkStatus() : disk_.files_.SyncAll(path);
  }
  Result<DiskSpace> Space(const std::string&) override {
    if (!*alive_) return Fail(Dead());
    return DiskSpace{kDiskBytes, disk_.full_ ? kFullBytes : kDiskBytes / 2};
  }

 private:
  ChunkDisk& disk_;
  const std::shared_ptr<bool> alive_;
};

FileSystem& ChunkDisk::Attach() {
  attached_ = std::make_shared<bool>(true);
  handles_.push_back(std::make_unique<Handle>(*this, attached_));
  return *handles_.back();
}

void ChunkDisk::Detach() {
  if (attached_ != nullptr) *attached_ = false;
  attached_ = nullptr;
  rows_.Detach();
}

void ChunkDisk::LosePower(Random& random) {
  std::mt19937_64 sectors(random.Next());
  files_.LosePower(sectors);
  rows_.LosePower(random);
  booted = true;
}

std::string ChunkDisk::PathOf(ChunkId id) {
  return "/disk/" + ChunkFolder(id) + "/" + ChunkFileName(id);
}

bool ChunkDisk::Peek(const std::string& path, uint64_t offset, std::span<std::byte> out) {
  const auto file = files_.Open(path, OpenMode::kReadWrite);
  if (!file.has_value()) return false;
  std::fill(out.begin(), out.end(), std::byte{0});
  return (*file)->Read(offset, out).has_value();
}

bool ChunkDisk::FlipBit(const std::string& path, uint64_t offset) {
  const auto file = files_.Open(path, OpenMode::kReadWrite);
  std::byte spoilt{};
  if (!file.has_value()) return false;
  const auto length = (*file)->Read(offset, std::span(&spoilt, 1));
  if (!length.has_value() || *length != 1) return false;
  spoilt ^= std::byte{4};
  CAIRN_CHECK((*file)->Write(offset, std::span(&spoilt, 1)).ok());
  return (*file)->Sync().ok();
}

}  // namespace cairn::simulation::chunks
