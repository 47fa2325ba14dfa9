// Random work through one mount against plain strings, while the cluster misbehaves.
#include "client/mounted_file_system.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

unsigned Seed() {
  const char* given = std::getenv("CAIRN_SEED");
  return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
}

constexpr size_t kLargest = 5 << 20;

// One file and what it should hold.
struct Modelled {
  std::string name;
  InodeId inode;
  OpenFilePtr file;
  std::string bytes;
};

class MountedFileSystemTest : public MountTest {
 protected:
  void Step(Modelled& one, std::mt19937& random) {
    size_t offset = random() % kLargest;
    size_t most = random() % 3 == 0 ? 900'000 : 9000;
    size_t length = std::min<size_t>(kLargest - offset, 1 + random() % most);
    unsigned choice = static_cast<unsigned>(random() % 12);
    uint32_t seed = static_cast<uint32_t>(random());
    if (choice < 4) return WriteAt(one, offset, length, seed);
    if (choice < 5) return WriteAt(one, one.bytes.size() % kLargest, length % 5000 + 1, seed);
    if (choice < 8) return ReadAt(one, offset, length);
    if (choice < 9) return Truncate(one, random() % (one.bytes.size() + 10'000));
    if (choice < 10) return Reopen(one);
    if (choice < 11) return CheckSize(one);
    ASSERT_TRUE(mount_->Fsync(one.file).ok());
  }
  void WriteAt(Modelled& one, size_t offset, size_t length, uint32_t seed) {
    std::string data = Pattern(length, seed);
    ASSERT_TRUE(Write(one.file, offset, data).ok());
    if (one.bytes.size() < offset + length) one.bytes.resize(offset + length);
    one.bytes.replace(offset, length, data);
  }
  void ReadAt(Modelled& one, size_t offset, size_t length) {
    std::string expected =
        offset < one.bytes.size() ? one.bytes.substr(offset, length) : std::string();
    ASSERT_TRUE(Read(one.file, offset, length) == expected) << offset << "+" << length;
  }
  void Truncate(Modelled& one, size_t size) {
    SetAttributes change;
    change.size = size;
    ASSERT_TRUE(mount_->SetAttributesOf(who_, one.inode, change).has_value());
    one.bytes.resize(size);
  }
  void Reopen(Modelled& one) {
    Close(std::move(one.file));
    one.file = Open(one.inode).file;
  }
  void CheckSize(Modelled& one) {
    auto entry = mount_->GetAttributes(one.inode);
    ASSERT_TRUE(entry.has_value());
    ASSERT_EQ(static_cast<size_t>(entry->attributes.st_size), one.bytes.size());
  }
  void Work(Modelled& one, unsigned seed, int steps) {
    std::mt19937 random(seed);
    for (int i = 0; i < steps && !HasFatalFailure(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      Step(one, random);
    }
  }
  void CheckAll(std::vector<Modelled>& files) {
    for (Modelled& one : files) {
      ASSERT_TRUE(mount_->Fsync(one.file).ok());
      Close(std::move(one.file));
    }
    Mount(cluster_.Options());
    for (Modelled& one : files) {
      one.file = Open(one.inode).file;
      EXPECT_TRUE(Read(one.file, 0, one.bytes.size() + 1) == one.bytes) << one.name;
      Close(std::move(one.file));
    }
  }
};

TEST_F(MountedFileSystemTest, HoldsWhatWasWrittenWhateverTheOrder) {
  unsigned seed = Seed();
  SCOPED_TRACE("CAIRN_SEED=" + std::to_string(seed));
  std::vector<Modelled> files(1);
  files[0].file = Create("a");
  files[0].inode = inode_;
  Work(files[0], seed, 400);
  CheckAll(files);
}

TEST_F(MountedFileSystemTest, HoldsWhatSeveralThreadsWroteWhilePrimariesMove) {
  unsigned seed = Seed();
  SCOPED_TRACE("CAIRN_SEED=" + std::to_string(seed));
  std::vector<Modelled> files(3);
  for (Modelled& one : files) {
    one.name = "file" + std::to_string(&one - files.data());
    one.file = Create(one.name);
    one.inode = inode_;
  }
  std::vector<std::thread> threads;
  std::atomic<int> working{3};
  for (size_t i = 0; i < files.size(); ++i) {
    threads.emplace_back([&, i] {
      Work(files[i], seed + static_cast<unsigned>(i), 120);
      --working;
    });
  }
  std::mt19937 random(seed);
  while (working > 0) {
    uint64_t writes = cluster_.script().Count(v1::CHUNK_WRITE);
    Within(std::chrono::seconds(1), [&] {
      return working == 0 || cluster_.script().Count(v1::CHUNK_WRITE) > writes + 30;
    });
    Status lost(ErrorCode::kUnavailable, "lost");
    if (random() % 2 == 0) cluster_.MoveGroups();
    cluster_.script().Add({v1::CHUNK_WRITE, lost, random() % 2 == 0});
    cluster_.script().Add({v1::METADATA_COMMIT_WRITE, lost, random() % 2 == 0});
    cluster_.script().Add({v1::CHUNK_READ, lost});
  }
  for (std::thread& thread : threads) thread.join();
  cluster_.script().Clear();
  CheckAll(files);
}

TEST_F(MountedFileSystemTest, NamesTheServerThatDoesNotAnswerAMount) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(200);
  cluster_.StopMetaserver();
  auto mount = MountedFileSystem::Mount(options);
  ASSERT_FALSE(mount.has_value());
  EXPECT_THAT(mount.error().message(), ::testing::HasSubstr("meta1.sock"));
  cluster_.StartMetaserver();
}

TEST_F(MountedFileSystemTest, RefusesAServerOfAnotherCluster) {
  MountOptions options = cluster_.Options();
  options.cluster_id = "another";
  options.timeout = std::chrono::seconds(2);
  auto mount = MountedFileSystem::Mount(options);
  ASSERT_FALSE(mount.has_value());
}

}  // namespace
}  // namespace cairn::testing
