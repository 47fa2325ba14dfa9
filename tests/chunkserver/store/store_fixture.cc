#include "tests/chunkserver/store/store_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "common/crc32c.h"
#include "common/hash.h"

namespace cairn {
namespace {

using Watcher = std::function<void(const DiskOperation&, bool after)>;

template <typename Call>
auto Watched(const Watcher& watcher, DiskOperation operation, Call call) {
  watcher(operation, false);
  auto result = call();
  watcher(operation, true);
  return result;
}

class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> below, const Watcher& watcher, std::string path)
      : below_(std::move(below)), watcher_(watcher), path_(std::move(path)) {}
  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    return below_->Read(offset, out);
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    return Watched(watcher_, {"write", path_}, [&] { return below_->Write(offset, data); });
  }
  Status Sync() override {
    return Watched(watcher_, {"sync", path_}, [&] { return below_->Sync(); });
  }
  Status Truncate(uint64_t size) override {
    return Watched(watcher_, {"truncate", path_}, [&] { return below_->Truncate(size); });
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    return Watched(watcher_, {"punch", path_}, [&] { return below_->PunchHole(offset, length); });
  }
  Status Preallocate(uint64_t size) override { return below_->Preallocate(size); }
  Result<uint64_t> Size() override { return below_->Size(); }

 private:
  std::unique_ptr<File> below_;
  const Watcher& watcher_;
  const std::string path_;
};

class WatchedFiles final : public FileSystem {
 public:
  WatchedFiles(FileSystem& below, Watcher watcher, const std::optional<DiskSpace>* space)
      : below_(below), watcher_(std::move(watcher)), space_(space) {}
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    const bool creates = mode == OpenMode::kCreate && !below_.Exists(path);
    auto open = [&] { return below_.Open(path, mode); };
    auto file = creates ? Watched(watcher_, {"create", path}, open) : open();
    if (!file.has_value()) return Fail(file.error());
    return std::make_unique<WatchedFile>(std::move(*file), watcher_, path);
  }
  Status MakeDirectory(const std::string& path) override { return below_.MakeDirectory(path); }
  Status Remove(const std::string& path) override {
    return Watched(watcher_, {"remove", path}, [&] { return below_.Remove(path); });
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return Watched(watcher_, {"rename", from}, [&] { return below_.Rename(from, to); });
  }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return below_.List(path);
  }
  bool Exists(const std::string& path) override { return below_.Exists(path); }
  Status SyncDirectory(const std::string& path) override {
    return Watched(watcher_, {"syncdir", path}, [&] { return below_.SyncDirectory(path); });
  }
  Status SyncAll(const std::string& path) override {
    return Watched(watcher_, {"syncfs", path}, [&] { return below_.SyncAll(path); });
  }
  Result<DiskSpace> Space(const std::string& path) override {
    if (space_ != nullptr && space_->has_value()) return **space_;
    return below_.Space(path);
  }

 private:
  FileSystem& below_;
  const Watcher watcher_;
  const std::optional<DiskSpace>* const space_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeWatchedFiles(FileSystem& below, Watcher watcher,
                                             const std::optional<DiskSpace>* space) {
  return std::make_unique<WatchedFiles>(below, std::move(watcher), space);
}

std::string MakeTestDirectory() {
  // In memory where possible: what is tested is the order of operations, and a syncfs of the
  // machine's disk would wait for everybody else's data.
  const char* memory = "/dev/shm";
  const std::string parent = access(memory, W_OK) == 0 ? memory : testing::TempDir();
  std::string path = parent + "/cairn-store-" + RandomHex(8);
  std::filesystem::create_directories(path);
  return path;
}

uint64_t TestSeed() {
  const char* given = std::getenv("CAIRN_SEED");
  uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 0) : RandomBits();
  std::printf("CAIRN_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

std::vector<std::byte> RandomBytes(std::mt19937_64& random, size_t size_bytes) {
  std::vector<std::byte> bytes(size_bytes);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::vector<std::byte> Filled(size_t size_bytes, char with) {
  return std::vector<std::byte>(size_bytes, static_cast<std::byte>(with));
}

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<uint32_t> PieceCrcs(uint64_t offset, std::span<const std::byte> data) {
  std::vector<uint32_t> crcs;
  while (!data.empty()) {
    size_t size = std::min<size_t>(data.size(), kBlockSize - offset % kBlockSize);
    crcs.push_back(Crc32c(data.first(size)));
    data = data.subspan(size);
    offset += size;
  }
  return crcs;
}

StoreTest::StoreTest() {
  files_ = MakeWatchedFiles(*faulty_, [this](const DiskOperation& operation, bool after) {
    if (watcher_) watcher_(operation, after);
  }, &space_);
  Open();
}

StoreTest::~StoreTest() {
  store_.reset();
  std::filesystem::remove_all(directory_);
}

void StoreTest::Open(bool clean_stop) {
  auto store = ChunkStore::Open({.directory = directory_,
                                 .files = files_.get(),
                                 .clock = &clock_,
                                 .clean_stop = clean_stop,
                                 .unclean_boot = false,
                                 .disk_failed = [this](const Status& cause) {
                                   disk_failures_.push_back(cause.message());
                                 }});
  ASSERT_OK(store);
  store_ = std::move(*store);
}

void StoreTest::CloseAndOpen() {
  ASSERT_OK(store_->Close());
  store_.reset();
  Open(/*clean_stop=*/true);
}

void StoreTest::KillAndOpen() {
  store_.reset();
  Open(/*clean_stop=*/false);
}

bool StoreTest::KillAtStep(int step, const std::function<void()>& change) {
  store_.reset();
  pid_t child = fork();
  if (child == 0) {
    Open(/*clean_stop=*/false);
    int steps = 0;
    watcher_ = [&](const DiskOperation&, bool) {
      if (steps++ == step) raise(SIGKILL);
    };
    change();
    _exit(0);
  }
  int state = 0;
  EXPECT_EQ(waitpid(child, &state, 0), child);
  Open(/*clean_stop=*/false);
  return WIFSIGNALED(state);
}

Status StoreTest::Write(uint64_t offset, std::span<const std::byte> data, ChunkId id) {
  const std::vector<uint32_t> crcs = PieceCrcs(offset, data);
  return store_->Write({.id = id,
                        .group = kGroup,
                        .file = file_,
                        .version = {Epoch(1), ++version_},
                        .offset = static_cast<uint32_t>(offset),
                        .data = data,
                        .crcs = crcs,
                        .session = SessionId(5),
                        .sequence = version_});
}

std::string StoreTest::ReadText(uint32_t offset, uint32_t length, ChunkId id) {
  const uint32_t start = offset / kBlockSize * kBlockSize;
  const uint32_t end = (offset + length + kBlockSize - 1) / kBlockSize * kBlockSize;
  Result<ChunkRead> read = Read(start, end - start, id);
  if (!read.has_value()) return std::string(ErrorCodeName(read.error().code()));
  if (read->absent) return "absent";
  return Text(read->data.bytes().subspan(offset - start, length));
}

Result<size_t> StoreTest::SealAll() {
  clock_.Advance(timing::kSealIdle);
  return store_->SealIdle();
}

bool StoreTest::IsSealed(ChunkId id) {
  auto info = store_->Info(id);
  return info.has_value() && info->has_value() && (*info)->sealed;
}

std::string StoreTest::PathOf(ChunkId id) const {
  return directory_ + "/" + ChunkFolder(id) + "/" + ChunkFileName(id);
}

void StoreTest::FlipByte(uint64_t offset, ChunkId id) {
  auto file = PosixFiles().Open(PathOf(id), OpenMode::kReadWrite);
  ASSERT_OK(file);
  std::array<std::byte, 1> byte;
  ASSERT_OK((*file)->Read(offset, byte));
  byte[0] ^= std::byte{1};
  ASSERT_OK((*file)->Write(offset, byte));
}

std::string StoreTest::RawText(uint64_t offset, size_t size_bytes, ChunkId id) {
  std::string text(size_bytes, '\0');
  auto file = PosixFiles().Open(PathOf(id), OpenMode::kRead);
  if (!file.has_value()) return "no file";
  const auto read = (*file)->Read(offset, std::as_writable_bytes(std::span(text)));
  return read.has_value() ? text : "does not read";
}

void StoreTest::Cut(uint64_t length) {
  ++file_.generation;
  std::erase_if(file_.cuts, [&](const FileCut& cut) { return cut.length >= length; });
  file_.cuts.push_back({file_.generation, length});
}

}  // namespace cairn
