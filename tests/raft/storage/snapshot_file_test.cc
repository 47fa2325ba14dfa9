#include "raft/storage/snapshot_file.h"

#include <gtest/gtest.h>

#include "common/faulty_file.h"
#include "tests/raft/storage/log_words.h"
#include "tests/raft/storage/snapshot_words.h"
#include "tests/raft/storage/watched_files.h"

namespace cairn {
namespace {

Status TakeAll(IncomingSnapshot& incoming, const std::vector<raft::SnapshotPiece>& pieces) {
  for (const raft::SnapshotPiece& piece : pieces) {
    RETURN_IF_ERROR(incoming.Take(piece.offset, piece.data, piece.last));
  }
  return OkStatus();
}

Status Receive(FileSystem& files, const raft::SnapshotPoint& point, const Rows& rows,
               size_t piece_bytes = 100'000) {
  IncomingSnapshot incoming("/d", files, point);
  return TakeAll(incoming, PiecesOf(point, rows, piece_bytes));
}

struct Loaded {
  raft::SnapshotPoint point;
  Rows rows;
};
Result<Loaded> Load(FileSystem& files) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFileReader> reader,
                   SnapshotFileReader::Open("/d", files));
  Loaded loaded{reader->point(), {}};
  for (std::string key, value;;) {
    ASSIGN_OR_RETURN(const bool more, reader->Next(key, value));
    if (!more) return loaded;
    loaded.rows.emplace_back(key, value);
  }
}

TEST(SnapshotFile, WhatCameInIsReadBackAfterAPowerCut) {
  const Rows rows = MakeRows(20'000, 300);
  ForgetfulFiles files;
  ASSERT_THAT(Receive(files, PointAt(9), rows), IsOk());
  std::mt19937_64 random(1);
  files.LosePower(random);
  const Result<Loaded> loaded = Load(files);
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded->point, PointAt(9));
  EXPECT_EQ(loaded->rows, rows);
  EXPECT_EQ(*files.List("/d"), std::vector<std::string>{"snapshot"});
}

TEST(SnapshotFile, IsTheBytesThatWereSent) {
  ForgetfulFiles files;
  ASSERT_THAT(Receive(files, PointAt(9), MakeRows(100, 100)), IsOk());
  EXPECT_EQ(*LoadFile(files, "/d/snapshot"), BytesOf(PointAt(9), MakeRows(100, 100)));
}

TEST(SnapshotFile, AbsentIsTold) {
  ForgetfulFiles files;
  EXPECT_THAT(Load(files), StatusIs(ErrorCode::kNotFound));
}

TEST(SnapshotFile, PiecesAreTakenInOrderAndNotTwice) {
  ForgetfulFiles files;
  const auto pieces = PiecesOf(PointAt(9), MakeRows(1000, 100), 10'000);
  ASSERT_GE(pieces.size(), 4u);
  IncomingSnapshot incoming("/d", files, PointAt(9));
  const auto take = [&](size_t i) {
    return incoming.Take(pieces[i].offset, pieces[i].data, pieces[i].last);
  };
  EXPECT_THAT(take(1), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(take(0), IsOk());
  EXPECT_THAT(take(0), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(take(2), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(incoming.next_offset(), 10'000u);
  for (size_t i = 1; i < pieces.size(); ++i) ASSERT_THAT(take(i), IsOk());
  EXPECT_TRUE(incoming.complete());
  EXPECT_THAT(take(pieces.size() - 1), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Load(files)->rows, MakeRows(1000, 100));
}

TEST(SnapshotFile, AnOversizePieceIsNotTaken) {
  ForgetfulFiles files;
  IncomingSnapshot incoming("/d", files, PointAt(9));
  const std::string huge(IncomingSnapshot::kMaxPieceBytes + 1, 'x');
  EXPECT_THAT(incoming.Take(0, huge, false), StatusIs(ErrorCode::kTooLarge));
  EXPECT_THAT(TakeAll(incoming, PiecesOf(PointAt(9), MakeRows(10, 10), 100)), IsOk());
}

TEST(SnapshotFile, AnotherSnapshotThanTheExpectedOneIsRefused) {
  ForgetfulFiles files;
  for (const raft::SnapshotPoint& other :
       {PointAt(10), raft::SnapshotPoint{LogIndex(9), Term(4), PointAt(9).membership},
        raft::SnapshotPoint{LogIndex(9), Term(3), {}}}) {
    IncomingSnapshot incoming("/d", files, PointAt(9));
    EXPECT_THAT(TakeAll(incoming, PiecesOf(other, MakeRows(10, 10), 1000)),
                StatusIs(ErrorCode::kCorruption));
    EXPECT_TRUE(files.List("/d")->empty());
  }
}

TEST(SnapshotFile, DamageOrAnEarlyEndOnTheWayLeavesTheFinishedOneAlone) {
  ForgetfulFiles files;
  ASSERT_THAT(Receive(files, PointAt(5), MakeRows(3, 10)), IsOk());
  const auto pieces = PiecesOf(PointAt(9), MakeRows(40'000, 300), 1'000'000);
  for (const bool early : {false, true}) {
    std::vector<raft::SnapshotPiece> bad = pieces;
    if (early) {
      bad.pop_back();
      bad.back().last = true;
    } else {
      bad.back().data[5] ^= 1;
    }
    IncomingSnapshot incoming("/d", files, PointAt(9));
    EXPECT_THAT(TakeAll(incoming, bad), StatusIs(ErrorCode::kCorruption));
    EXPECT_THAT(TakeAll(incoming, pieces), StatusIs(ErrorCode::kCorruption));
    EXPECT_EQ(Load(files)->point, PointAt(5));
    EXPECT_EQ(*files.List("/d"), std::vector<std::string>{"snapshot"});
  }
}

TEST(SnapshotFile, ANewAttemptDoesNotMeetWhatAnEarlierOneLeft) {
  ForgetfulFiles files;
  IncomingSnapshot earlier("/d", files, PointAt(8));
  auto pieces = PiecesOf(PointAt(8), MakeRows(40'000, 300), 2'000'000);
  ASSERT_THAT(earlier.Take(0, pieces[0].data, false), IsOk());
  ASSERT_TRUE(files.Exists("/d/snapshot.tmp"));
  ASSERT_THAT(Receive(files, PointAt(9), MakeRows(10, 10)), IsOk());
  EXPECT_EQ(Load(files)->rows, MakeRows(10, 10));
}

TEST(SnapshotFile, WritesAreLargeAndSyncedOnce) {
  ForgetfulFiles disk;
  WatchedFiles files(disk);
  uint64_t writes = 0;
  files.SetBeforeChange([&](WatchedFiles::Change change) {
    if (change == WatchedFiles::Change::kContents) ++writes;
    return OkStatus();
  });
  const Rows rows = MakeRows(40'000, 300);
  ASSERT_THAT(Receive(files, PointAt(9), rows, 10'000), IsOk());
  EXPECT_LE(writes, BytesOf(PointAt(9), rows).size() / (1 << 20) + 1);
  EXPECT_EQ(disk.file_syncs(), 1u);
}

TEST(SnapshotFile, AFullDiskLeavesNothingBehind) {
  ForgetfulFiles disk;
  FaultPlan plan;
  auto files = MakeFaultyFileSystem(disk, plan);
  const Rows rows = MakeRows(40'000, 300);
  for (uint32_t skip = 0; skip < 4; ++skip) {
    plan.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .skip = skip,
               .times = 1}});
    EXPECT_THAT(Receive(*files, PointAt(9), rows), StatusIs(ErrorCode::kNoSpace));
    EXPECT_TRUE(disk.List("/d")->empty());
  }
}

TEST(RuleM4, ASnapshotWhoseSyncFailedHasNoName) {
  for (uint32_t skip = 0; skip < 2; ++skip) {
    ForgetfulFiles disk;
    FaultPlan plan;
    auto files = MakeFaultyFileSystem(disk, plan);
    plan.Set({{.operation = FaultOperation::kSync, .skip = skip, .times = 1}});
    EXPECT_THAT(Receive(*files, PointAt(9), {}), StatusIs(ErrorCode::kDiskFailed));
    std::mt19937_64 random(1);
    disk.LosePower(random);
    EXPECT_THAT(Load(disk), StatusIs(ErrorCode::kNotFound));
  }
}

TEST(RuleM2, APowerCutAtAnyStepLeavesTheOldSnapshotOrTheNewOne) {
  const Rows old_rows = MakeRows(50, 100, 1);
  const Rows new_rows = MakeRows(12'000, 300, 2);
  bool was_cut = true;
  for (uint64_t changes = 0; was_cut; ++changes) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      SCOPED_TRACE(fmt::format("power cut after {} changes, seed {}", changes, seed));
      ForgetfulFiles disk;
      WatchedFiles files(disk);
      ASSERT_THAT(Receive(files, PointAt(5), old_rows), IsOk());
      files.CutAfter(changes);
      const bool received = Receive(files, PointAt(9), new_rows).ok();
      was_cut = files.was_cut();
      std::mt19937_64 random(seed);
      disk.LosePower(random);
      const Result<Loaded> loaded = Load(disk);
      ASSERT_THAT(loaded, IsOk());
      const bool is_new = loaded->point == PointAt(9);
      EXPECT_EQ(loaded->rows, is_new ? new_rows : old_rows);
      EXPECT_TRUE(is_new || (loaded->point == PointAt(5) && !received));
      ASSERT_THAT(Receive(disk, PointAt(9), new_rows), IsOk());
      EXPECT_EQ(Load(disk)->rows, new_rows);
    }
  }
}

TEST(SnapshotFile, DamageOnDiskIsToldWithFileAndOffset) {
  ForgetfulFiles files;
  const Rows rows = MakeRows(5000, 300);
  const std::string whole = BytesOf(PointAt(9), rows);
  const size_t head_bytes = BytesOf(PointAt(9), {}).size() - snapshot_format::kEndBytes;
  for (size_t at = 0; at < whole.size(); at += at < 200 ? 1 : 10'007) {
    std::string damaged = whole;
    damaged[at] ^= 4;
    ASSERT_THAT(ReplaceFile(files, "/d/snapshot", damaged), IsOk());
    const Result<Loaded> loaded = Load(files);
    ASSERT_FALSE(loaded.has_value()) << at;
    EXPECT_NE(loaded.error().message().find("/d/snapshot"), std::string::npos);
    if (at >= head_bytes + 4) {
      EXPECT_THAT(loaded, StatusIs(ErrorCode::kCorruption)) << at;
    }
  }
}

TEST(SnapshotFile, AFileTooShortOrTooLongIsDamaged) {
  ForgetfulFiles files;
  const std::string whole = BytesOf(PointAt(9), MakeRows(1000, 300));
  for (size_t size : {size_t{0}, size_t{20}, size_t{60}, whole.size() / 2, whole.size() - 1}) {
    ASSERT_THAT(ReplaceFile(files, "/d/snapshot", whole.substr(0, size)), IsOk());
    EXPECT_THAT(Load(files), StatusIs(ErrorCode::kCorruption)) << size;
  }
  ASSERT_THAT(ReplaceFile(files, "/d/snapshot", whole + '\0'), IsOk());
  EXPECT_THAT(Load(files), StatusIs(ErrorCode::kCorruption));
}

TEST(SnapshotFile, CanBeRemoved) {
  ForgetfulFiles files;
  EXPECT_THAT(RemoveSnapshotFile("/d", files), IsOk());
  ASSERT_THAT(Receive(files, PointAt(9), MakeRows(10, 10)), IsOk());
  ASSERT_THAT(ReplaceFile(files, "/d/snapshot.tmp", "half of another"), IsOk());
  EXPECT_THAT(RemoveSnapshotFile("/d", files), IsOk());
  std::mt19937_64 random(1);
  files.LosePower(random);
  EXPECT_TRUE(files.List("/d")->empty());
}

}  // namespace
}  // namespace cairn
