#include "common/faulty_file.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

class FaultyFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> Open() { return std::move(*files_->Open(path_, OpenMode::kCreate)); }
  static Status Write(File& file, std::string_view text) {
    return file.Write(0, std::as_bytes(std::span(text.data(), text.size())));
  }
  std::string Contents() { return *LoadFile(PosixFiles(), path_); }
  void Fail(FaultOperation operation, FaultKind kind) {
    plan_.Set({{.operation = operation, .kind = kind, .where = "victim"}});
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "victim";
  FaultPlan plan_;
  std::unique_ptr<FileSystem> files_ = MakeFaultyFileSystem(PosixFiles(), plan_);
};

TEST_F(FaultyFileTest, WithoutAPlanNothingIsDifferent) {
  std::unique_ptr<File> file = Open();
  EXPECT_THAT(Write(*file, "12345678"), IsOk());
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(Contents(), "12345678");
}

TEST_F(FaultyFileTest, ErrorsComeBeforeAnythingIsWritten) {
  std::unique_ptr<File> file = Open();
  Fail(FaultOperation::kWrite, FaultKind::kIoError);
  EXPECT_THAT(Write(*file, "12345678"), StatusIs(ErrorCode::kIoError));
  Fail(FaultOperation::kWrite, FaultKind::kNoSpace);
  EXPECT_THAT(Write(*file, "12345678"), StatusIs(ErrorCode::kNoSpace));
  EXPECT_THAT(file->Preallocate(100), StatusIs(ErrorCode::kNoSpace));
  EXPECT_THAT(files_->Remove(path_), StatusIs(ErrorCode::kNoSpace));
  EXPECT_EQ(Contents(), "");
}

TEST_F(FaultyFileTest, TornWriteLeavesHalf) {
  std::unique_ptr<File> file = Open();
  Fail(FaultOperation::kWrite, FaultKind::kTorn);
  EXPECT_THAT(Write(*file, "12345678"), StatusIs(ErrorCode::kIoError));
  EXPECT_EQ(Contents(), "1234");
}

TEST_F(FaultyFileTest, DroppedWriteAnswersSuccess) {
  std::unique_ptr<File> file = Open();
  Fail(FaultOperation::kWrite, FaultKind::kDrop);
  EXPECT_THAT(Write(*file, "12345678"), IsOk());
  EXPECT_EQ(Contents(), "");
}

TEST_F(FaultyFileTest, EachOperationHasItsFault) {
  std::unique_ptr<File> file = Open();
  std::byte byte{};
  Fail(FaultOperation::kRead, FaultKind::kIoError);
  EXPECT_THAT(file->Read(0, {&byte, 1}), StatusIs(ErrorCode::kIoError));
  Fail(FaultOperation::kSync, FaultKind::kIoError);
  EXPECT_THAT(file->Sync(), StatusIs(ErrorCode::kIoError));
  EXPECT_THAT(files_->SyncAll(path_), StatusIs(ErrorCode::kIoError));
  Fail(FaultOperation::kOpen, FaultKind::kIoError);
  EXPECT_THAT(files_->Open(path_, OpenMode::kRead), StatusIs(ErrorCode::kIoError));
  EXPECT_THAT(files_->Open(directory_ / "other", OpenMode::kCreate), IsOk());
}

TEST_F(FaultyFileTest, AFileWhoseReadsHaveAFaultIsNotShared) {
  std::unique_ptr<File> file = Open();
  EXPECT_THAT(files_->OpenToShare(path_), IsOk());
  Fail(FaultOperation::kRead, FaultKind::kIoError);
  EXPECT_THAT(files_->OpenToShare(path_), StatusIs(ErrorCode::kNotSupported));
}

using FaultyFileDeathTest = FaultyFileTest;
TEST_F(FaultyFileDeathTest, CrashEndsTheProcess) {
  std::unique_ptr<File> file = Open();
  Fail(FaultOperation::kWrite, FaultKind::kCrash);
  EXPECT_EXIT((void)Write(*file, "x").ok(), ::testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace cairn
