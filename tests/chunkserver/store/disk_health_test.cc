#include "chunkserver/store/disk_health.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

TEST(DiskHealth, RemembersTheFirstErrorOfTheDiskAndNoOther) {
  DiskHealth health;
  EXPECT_EQ(health.Note(Status(ErrorCode::kNoSpace, "full")).code(), ErrorCode::kNoSpace);
  EXPECT_EQ(health.Note(Status(ErrorCode::kCorruption, "bad")).code(), ErrorCode::kCorruption);
  EXPECT_OK(health.Check());
  EXPECT_EQ(health.Note(Status(ErrorCode::kIoError, "EIO")).code(), ErrorCode::kDiskFailed);
  EXPECT_EQ(health.Check().code(), ErrorCode::kDiskFailed);
  health.Close();
  EXPECT_EQ(health.Check().code(), ErrorCode::kDiskFailed);
}

TEST(DiskHealth, AnyFailureOfAnFsyncIsFatal) {
  DiskHealth health;
  EXPECT_OK(health.Fatal(OkStatus()));
  EXPECT_EQ(health.Fatal(Status(ErrorCode::kNoSpace, "full")).code(), ErrorCode::kDiskFailed);
  EXPECT_EQ(health.Check().code(), ErrorCode::kDiskFailed);
}

TEST(DiskHealth, TellsOfTheFirstFailureOnce) {
  std::vector<std::string> heard;
  DiskHealth health([&](const Status& cause) { heard.push_back(cause.message()); });
  (void)health.Note(Status(ErrorCode::kNoSpace, "full"));
  (void)health.Note(Status(ErrorCode::kIoError, "first"));
  (void)health.Fatal(Status(ErrorCode::kIoError, "second"));
  EXPECT_THAT(heard, testing::ElementsAre("first"));
}

class MockFiles : public FileSystem {
 public:
  MOCK_METHOD(Result<std::unique_ptr<File>>, Open, (const std::string&, OpenMode), (override));
  MOCK_METHOD(Status, MakeDirectory, (const std::string&), (override));
  MOCK_METHOD(Status, Remove, (const std::string&), (override));
  MOCK_METHOD(Status, Rename, (const std::string&, const std::string&), (override));
  MOCK_METHOD(Result<std::vector<std::string>>, List, (const std::string&), (override));
  MOCK_METHOD(bool, Exists, (const std::string&), (override));
  MOCK_METHOD(Status, SyncDirectory, (const std::string&), (override));
  MOCK_METHOD(Status, SyncAll, (const std::string&), (override));
  MOCK_METHOD(Result<DiskSpace>, Space, (const std::string&), (override));
};

DiskSpace Left(uint64_t available_mib) {
  return {10000ull << 20, available_mib << 20};
}

TEST(RoomGuard, KeepsAReserveForTheIndex) {
  MockFiles files;
  RoomGuard room(files, "/disk");
  EXPECT_CALL(files, Space)
      .WillOnce(testing::Return(Left(65)))
      .WillOnce(testing::Return(Left(63)))
      .WillOnce(testing::Return(Left(5000)));
  EXPECT_OK(room.Admit(1 << 20, /*ordered=*/false));
  EXPECT_EQ(room.Admit(1 << 20, /*ordered=*/false).code(), ErrorCode::kNoSpace);
  EXPECT_OK(room.Admit(1 << 20, /*ordered=*/false));
}

TEST(RoomGuard, OrderedWritesMayUseTheReserveDownToWhatTheIndexNeeds) {
  MockFiles files;
  RoomGuard room(files, "/disk");
  EXPECT_CALL(files, Space)
      .WillOnce(testing::Return(Left(18)))
      .WillOnce(testing::Return(Left(18)))
      .WillOnce(testing::Return(Left(16)));
  EXPECT_OK(room.Admit(1 << 20, /*ordered=*/true));
  EXPECT_EQ(room.Admit(1 << 20, /*ordered=*/false).code(), ErrorCode::kNoSpace);
  EXPECT_EQ(room.Admit(1 << 20, /*ordered=*/true).code(), ErrorCode::kNoSpace);
}

TEST(RoomGuard, WhatNeedsNoRoomIsNotRefused) {
  MockFiles files;
  RoomGuard room(files, "/disk");
  EXPECT_CALL(files, Space).Times(0);
  EXPECT_OK(room.Admit(0, /*ordered=*/false));
}

TEST(RoomGuard, AsksTheDiskSeldomWhileThereIsRoom) {
  MockFiles files;
  RoomGuard room(files, "/disk");
  EXPECT_CALL(files, Space).Times(2).WillRepeatedly(testing::Return(Left(5000)));
  for (int i = 0; i < 100; ++i) EXPECT_OK(room.Admit(1 << 20, /*ordered=*/false));
}

}  // namespace
}  // namespace cairn
