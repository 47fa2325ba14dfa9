#include <gtest/gtest.h>

#include <unistd.h>

#include <string>

#include "common/file.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

class PosixFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> Create(const std::string& name) {
    Result<std::unique_ptr<File>> file = files_.Open(directory_ / name, OpenMode::kCreate);
    EXPECT_THAT(file, IsOk());
    return std::move(*file);
  }
  static Status Write(File& file, uint64_t offset, std::string_view text) {
    return file.Write(offset, std::as_bytes(std::span(text.data(), text.size())));
  }
  static std::string Read(File& file, uint64_t offset, size_t length) {
    std::string text(length, '?');
    auto out = std::as_writable_bytes(std::span(text.data(), text.size()));
    Result<size_t> got = file.Read(offset, out);
    EXPECT_THAT(got, IsOk());
    text.resize(got.value_or(0));
    return text;
  }

  TemporaryDirectory directory_;
  FileSystem& files_ = PosixFiles();
};

TEST_F(PosixFileTest, ReadsWhatWasWrittenAndStopsAtTheEnd) {
  std::unique_ptr<File> file = Create("a");
  EXPECT_THAT(Write(*file, 3, "hello"), IsOk());
  EXPECT_EQ(Read(*file, 0, 100), std::string("\0\0\0hello", 8));
  EXPECT_EQ(Read(*file, 8, 1), "");
  EXPECT_EQ(*file->Size(), 8u);
  EXPECT_THAT(file->Sync(), IsOk());
}

TEST_F(PosixFileTest, OpenModesSayWhatMustExist) {
  EXPECT_THAT(files_.Open(directory_ / "a", OpenMode::kRead), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(files_.Open(directory_ / "a", OpenMode::kReadWrite), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(files_.Open(directory_ / "a", OpenMode::kCreateExclusive), IsOk());
  EXPECT_THAT(files_.Open(directory_ / "a", OpenMode::kCreateExclusive),
              StatusIs(ErrorCode::kExists));
  EXPECT_THAT(files_.Open(directory_ / "a", OpenMode::kCreate), IsOk());
}

TEST_F(PosixFileTest, OffsetsNoFileHasAreRefused) {
  std::unique_ptr<File> file = Create("a");
  EXPECT_THAT(Write(*file, ~uint64_t{0}, "x"), StatusIs(ErrorCode::kFileTooBig));
  EXPECT_THAT(file->Truncate(uint64_t{1} << 63), StatusIs(ErrorCode::kFileTooBig));
  EXPECT_THAT(file->PunchHole(1, ~uint64_t{0}), StatusIs(ErrorCode::kFileTooBig));
  EXPECT_EQ(*file->Size(), 0u);
}

TEST_F(PosixFileTest, PreallocateExtendsWithZerosAndKeepsWhatIsThere) {
  std::unique_ptr<File> file = Create("a");
  EXPECT_THAT(Write(*file, 0, "data"), IsOk());
  EXPECT_THAT(file->Preallocate(10000), IsOk());
  EXPECT_EQ(*file->Size(), 10000u);
  EXPECT_EQ(Read(*file, 0, 6), std::string("data\0\0", 6));
  EXPECT_THAT(file->Preallocate(10), IsOk());
  EXPECT_EQ(*file->Size(), 10000u);
}

TEST_F(PosixFileTest, PunchedHoleReadsAsZerosAndTheSizeStays) {
  std::unique_ptr<File> file = Create("a");
  EXPECT_THAT(Write(*file, 0, std::string(8192, 'x')), IsOk());
  EXPECT_THAT(file->PunchHole(4096, 4096), IsOk());
  EXPECT_EQ(*file->Size(), 8192u);
  EXPECT_EQ(Read(*file, 4095, 2), std::string("x\0", 2));
}

TEST_F(PosixFileTest, DirectoriesAreMadeWithTheirParentsAndListedInOrder) {
  std::string deep = directory_ / "one/two";
  EXPECT_THAT(files_.MakeDirectory(deep), IsOk());
  EXPECT_THAT(files_.MakeDirectory(deep), IsOk());
  Create("one/b");
  Create("one/a");
  EXPECT_EQ(*files_.List(directory_ / "one"), (std::vector<std::string>{"a", "b", "two"}));
  EXPECT_THAT(files_.MakeDirectory(directory_ / "one/a"), StatusIs(ErrorCode::kNotDirectory));
  EXPECT_THAT(files_.List(directory_ / "none"), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(files_.SyncDirectory(deep), IsOk());
  EXPECT_THAT(files_.SyncAll(deep), IsOk());
}

TEST_F(PosixFileTest, RenameReplacesAndRemoveRemoves) {
  Create("a");
  Create("b");
  EXPECT_THAT(files_.Rename(directory_ / "a", directory_ / "b"), IsOk());
  EXPECT_FALSE(files_.Exists(directory_ / "a"));
  EXPECT_THAT(files_.Remove(directory_ / "b"), IsOk());
  EXPECT_THAT(files_.Remove(directory_ / "b"), StatusIs(ErrorCode::kNotFound));
}

TEST_F(PosixFileTest, SpaceIsKnown) {
  Result<DiskSpace> space = files_.Space(directory_.path());
  ASSERT_THAT(space, IsOk());
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->available_bytes, space->total_bytes);
}

TEST_F(PosixFileTest, AFullDiskIsNoSpace) {
  Result<std::unique_ptr<File>> full = files_.Open("/dev/full", OpenMode::kReadWrite);
  ASSERT_THAT(full, IsOk());
  EXPECT_THAT(Write(**full, 0, "x"), StatusIs(ErrorCode::kNoSpace));
}

}  // namespace
}  // namespace cairn
