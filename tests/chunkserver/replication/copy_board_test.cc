#include "chunkserver/replication/copy_board.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr CopyBoard::Key kOneCopy{PgId(1), ServerId(2)};
constexpr CopyBoard::Key kOtherCopy{PgId(1), ServerId(3)};

TEST(CopyBoard, ShowsACatchUpAsLongAsItLasts) {
  CopyBoard board;
  {
    CopyBoard::Entry entry(board, kOneCopy);
    entry.Add({100, 0});
    entry.Add({0, 40});
    entry.Add({0, 10});
    ASSERT_EQ(board.List().size(), 1u);
    const auto [key, count] = board.List()[0];
    EXPECT_EQ(key, kOneCopy);
    EXPECT_EQ(count.total_bytes, 100u);
    EXPECT_EQ(count.done_bytes, 50u);
  }
  EXPECT_TRUE(board.List().empty());
}

TEST(CopyBoard, KeepsCatchUpsApart) {
  CopyBoard board;
  CopyBoard::Entry first(board, kOneCopy);
  first.Add({100, 0});
  {
    CopyBoard::Entry second(board, kOtherCopy);
    second.Add({7, 0});
    EXPECT_EQ(board.List().size(), 2u);
  }
  ASSERT_EQ(board.List().size(), 1u);
  EXPECT_EQ(board.List()[0].second.total_bytes, 100u);
}

}  // namespace
}  // namespace cairn
