// A mount of a fake cluster, and words for what tests do with it.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "client/mounted_file_system.h"
#include "client/open_file.h"
#include "tests/support/fake_cluster.h"

namespace cairn::testing {

class MountTest : public ::testing::Test {
 protected:
  void SetUp() override { Mount(cluster_.Options()); }
  void TearDown() override {
    cluster_.script().Clear();
    cluster_.script().LetGo();
    mount_.reset();
  }

  void Mount(MountOptions options) {
    mount_.reset();
    auto mount = MountedFileSystem::Mount(std::move(options));
    ASSERT_TRUE(mount.has_value()) << mount.error().ToString();
    mount_ = std::move(*mount);
  }
  OpenFilePtr Create(const std::string& name, int flags = O_RDWR) {
    auto opened = mount_->Create(who_, kRootInode, name, 0644, flags);
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    if (!opened.has_value()) return nullptr;
    inode_ = InodeId(opened->entry.attributes.st_ino);
    return opened->file;
  }
  MountedFileSystem::Opened Open(InodeId inode, int flags = O_RDWR) {
    auto opened = mount_->Open(who_, inode, flags);
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    return opened.has_value() ? *opened : MountedFileSystem::Opened();
  }
  // As the kernel does: with the flags that the descriptor was opened with.
  Status Write(const OpenFilePtr& file, uint64_t offset, std::string_view data) {
    return WriteWith(file->flags, file, offset, data);
  }
  Status WriteWith(int flags, const OpenFilePtr& file, uint64_t offset, std::string_view data,
                   uint32_t uid = 0) {
    return mount_->Write(uid, file, offset, std::as_bytes(std::span(data.data(), data.size())),
                         flags);
  }
  std::string Read(const OpenFilePtr& file, uint64_t offset, size_t length) {
    auto slices = mount_->Read(file, offset, length);
    EXPECT_TRUE(slices.has_value()) << slices.error().ToString();
    std::string bytes;
    if (!slices.has_value()) return bytes;
    for (const Payload& slice : *slices) bytes += slice.view();
    return bytes;
  }
  void Close(OpenFilePtr file) {
    EXPECT_TRUE(mount_->Flush(file).ok());
    mount_->Release(std::move(file));
  }
  uint64_t SizeAtServer() { return cluster_.metadata().Inode(inode_.value).attributes().size(); }
  static bool Within(std::chrono::milliseconds patience, const std::function<bool()>& condition) {
    Deadline deadline = Deadline::After(patience);
    while (!condition()) {
      if (deadline.Passed()) return false;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return true;
  }
  static void ExpectCode(const Status& status, ErrorCode code) {
    EXPECT_EQ(status.code(), code) << status.ToString();
  }

  const Identity who_;
  FakeCluster cluster_;
  std::unique_ptr<MountedFileSystem> mount_;
  InodeId inode_;  // of the file created last
};

// Distinct bytes wherever one looks.
inline std::string Pattern(size_t length, uint32_t seed = 1) {
  std::string bytes(length, '\0');
  uint32_t x = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    x = x * 1664525u + 1013904223u;
    byte = static_cast<char>(x >> 24);
  }
  return bytes;
}

}  // namespace cairn::testing
