#include "metaserver/disk_reserve.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

Status Admit(uint64_t available_mib, const v1::Command& command) {
  const DiskSpace space{.total_bytes = uint64_t{100} << 30, .available_bytes = available_mib << 20};
  return DiskReserve([space] { return space; }).Admit(command);
}

v1::Command Create() {
  v1::Command command;
  command.mutable_create();
  return command;
}
v1::Command Commit() {
  v1::Command command;
  command.mutable_commit_write();
  return command;
}
v1::Command Unlink() {
  v1::Command command;
  command.mutable_unlink();
  return command;
}

TEST(DiskReserveTest, WithRoomEverythingIsTaken) {
  EXPECT_THAT(Admit(256, Create()), IsOk());
  EXPECT_THAT(Admit(256, Commit()), IsOk());
}

TEST(DiskReserveTest, BelowTheReserveNewNamesAreRefusedFirst) {
  EXPECT_THAT(Admit(255, Create()), StatusIs(ErrorCode::kNoSpace));
  EXPECT_THAT(Admit(128, Commit()), IsOk());
  EXPECT_THAT(Admit(127, Commit()), StatusIs(ErrorCode::kNoSpace));
}

TEST(DiskReserveTest, FarBelowTheReserveNothingIsApplied) {
  const auto has_room = [](uint64_t available_mib, uint64_t total_gib = 100) {
    const DiskSpace space{.total_bytes = total_gib << 30, .available_bytes = available_mib << 20};
    return DiskReserve([space] { return space; }).HasRoomToApply();
  };
  EXPECT_TRUE(has_room(32));
  EXPECT_FALSE(has_room(31));
  EXPECT_TRUE(has_room(0, 0)) << "a disk that is not known";
}

TEST(DiskReserveTest, RemovalIsNeverRefused) {
  EXPECT_THAT(Admit(0, Unlink()), IsOk());
}

}  // namespace
}  // namespace cairn
