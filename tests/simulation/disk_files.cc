#include "tests/simulation/disk_files.h"

#include <random>
#include <span>
#include <string_view>
#include <utility>

#include "tests/simulation/harness_bug.h"

namespace cairn::simulation {

namespace {
constexpr std::string_view kSegment = ".log";
}  // namespace

class DiskFiles::DiskFile final : public File {
 public:
  DiskFile(DiskFiles& files, std::unique_ptr<File> below, bool is_segment)
      : files_(files), below_(std::move(below)), is_segment_(is_segment) {}

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    return below_->Read(offset, out);
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    const bool was_cut = files_.was_cut();
    if (Status begun = files_.BeginChange(); !begun.ok()) {
      const size_t out = data.size() * static_cast<size_t>(files_.written_permille_) / 1000;
      if (!was_cut && out > 0) RETURN_IF_ERROR(below_->Write(offset, data.first(out)));
      return begun;
    }
    ASSIGN_OR_RETURN(const uint64_t size_bytes, below_->Size());
    RETURN_IF_ERROR(files_.CheckRoom(offset + data.size() > size_bytes));
    return below_->Write(offset, data);
  }
  Status Sync() override {
    RETURN_IF_ERROR(files_.BeginChange());
    if (is_segment_ && files_.ForgetsToSyncSegments()) return OkStatus();
    return below_->Sync();
  }
  Status Truncate(uint64_t size_bytes) override {
    RETURN_IF_ERROR(files_.BeginChange());
    return below_->Truncate(size_bytes);
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    RETURN_IF_ERROR(files_.BeginChange());
    return below_->PunchHole(offset, length);
  }
  Status Preallocate(uint64_t size_bytes) override {
    RETURN_IF_ERROR(files_.BeginChange());
    ASSIGN_OR_RETURN(const uint64_t before_bytes, below_->Size());
    RETURN_IF_ERROR(files_.CheckRoom(size_bytes > before_bytes));
    return below_->Preallocate(size_bytes);
  }
  Result<uint64_t> Size() override { return below_->Size(); }

 private:
  DiskFiles& files_;
  std::unique_ptr<File> below_;
  const bool is_segment_;  // when it was opened
};

void DiskFiles::CutAfter(uint64_t changes, int written_permille) {
  changes_left_ = changes;
  written_permille_ = written_permille;
}

void DiskFiles::Mend() {
  changes_left_ = kNoCut;
  was_cut_ = false;
}

Status DiskFiles::BeginChange() {
  if (changes_left_ == kNoCut) return OkStatus();
  if (changes_left_ > 0) {
    --changes_left_;
    return OkStatus();
  }
  was_cut_ = true;
  return Status(ErrorCode::kIoError, "cut");
}

Status DiskFiles::CheckRoom(bool grows) const {
  return full_ && grows ? Status(ErrorCode::kNoSpace, "full") : OkStatus();
}

bool DiskFiles::ForgetsToSyncSegments() const {
  return HarnessBugIs(HarnessBug::kSegmentNotSynced) ||
         (opening_ && HarnessBugIs(HarnessBug::kUnsyncedTailCounted));
}

void DiskFiles::LosePower(Random& random) {
  std::mt19937_64 sectors(random.Next());
  memory_.LosePower(sectors);
  facts_were_renamed_ = false;
}

void DiskFiles::FlipBit(const std::string& path, uint64_t offset, unsigned bit) {
  const Result<std::unique_ptr<File>> file = below_.Open(path, OpenMode::kReadWrite);
  CAIRN_CHECK(file.has_value());
  std::byte spoilt{};
  CAIRN_CHECK((*file)->Read(offset, std::span(&spoilt, 1)).has_value());
  spoilt ^= std::byte{1} << bit;
  CAIRN_CHECK((*file)->Write(offset, std::span(&spoilt, 1)).ok());
  CAIRN_CHECK((*file)->Sync().ok());
}

Result<std::unique_ptr<File>> DiskFiles::Open(const std::string& path, OpenMode mode) {
  const bool creates = mode == OpenMode::kCreate || mode == OpenMode::kCreateExclusive;
  if (creates && !below_.Exists(path)) {
    RETURN_IF_ERROR(BeginChange());
    RETURN_IF_ERROR(CheckRoom(true));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, below_.Open(path, mode));
  return std::make_unique<DiskFile>(*this, std::move(file), path.ends_with(kSegment));
}

Status DiskFiles::Remove(const std::string& path) {
  RETURN_IF_ERROR(BeginChange());
  segments_.removed += path.ends_with(kSegment) ? 1 : 0;
  return below_.Remove(path);
}

Status DiskFiles::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(BeginChange());
  segments_.made += to.ends_with(kSegment) ? 1 : 0;
  segments_.recycled += from.ends_with(kSegment) ? 1 : 0;
  facts_were_renamed_ = to.ends_with("/facts");
  return below_.Rename(from, to);
}

Status DiskFiles::SyncDirectory(const std::string& directory) {
  RETURN_IF_ERROR(BeginChange());
  const bool forgotten = std::exchange(facts_were_renamed_, false);
  if (forgotten && HarnessBugIs(HarnessBug::kLostDirectorySync)) return OkStatus();
  return below_.SyncDirectory(directory);
}

}  // namespace cairn::simulation
