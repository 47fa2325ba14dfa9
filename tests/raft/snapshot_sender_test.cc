#include "raft/snapshot_sender.h"

#include <gtest/gtest.h>

#include "raft/storage/snapshot_file.h"
#include "tests/common/status_matchers.h"
#include "tests/raft/node_group.h"

namespace cairn::testing {
namespace {

class SnapshotSenderTest : public ::testing::Test {
 protected:
  void Say(const std::string& word) {
    const LogEntry entry{Term(1), LogIndex(words_.Applied().index.value + 1), word};
    words_.Apply({&entry, 1});
  }
  // All pieces from `offset` on of the snapshot under way.
  Status Receive(ServerId peer, IncomingSnapshot& incoming, std::optional<LogIndex> index) {
    for (;;) {
      ASSIGN_OR_RETURN(const raft::SnapshotPiece piece,
                       sender_.PieceFor({peer, index, incoming.next_offset()}));
      index = piece.point.index;
      RETURN_IF_ERROR(incoming.Take(piece.offset, piece.data, piece.last));
      if (piece.last) return OkStatus();
    }
  }

  WordList words_;
  SnapshotSender sender_{words_};
  TemporaryDirectory place_;
};

TEST_F(SnapshotSenderTest, PiecesMakeUpTheStateAsItWasAtTheFirst) {
  std::vector<std::string> before;
  for (int i = 0; i < 40; ++i) {
    before.emplace_back().resize(100'000, static_cast<char>('a' + i % 26));
    Say(before.back());
  }
  const auto first = sender_.PieceFor({ServerId(2), std::nullopt, 0});
  ASSERT_THAT(first, IsOk());
  ASSERT_FALSE(first->last);
  IncomingSnapshot incoming(place_.path(), PosixFiles(), first->point);
  ASSERT_THAT(incoming.Take(0, first->data, false), IsOk());
  Say("later");
  ASSERT_THAT(Receive(ServerId(2), incoming, first->point.index), IsOk());
  WordList other;
  const auto reader = SnapshotFileReader::Open(place_.path(), PosixFiles());
  ASSERT_THAT(other.Install((*reader)->point(), **reader), IsOk());
  EXPECT_EQ(other.words(), before);
}

TEST_F(SnapshotSenderTest, APieceThatWasLostIsSentAgain) {
  Say("one");
  const auto first = sender_.PieceFor({ServerId(2), std::nullopt, 0});
  const auto again = sender_.PieceFor({ServerId(2), first->point.index, 0});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->data, first->data);
  EXPECT_EQ(again->last, first->last);
}

TEST_F(SnapshotSenderTest, OneThatIsNotHereAnyMoreBeginsAnew) {
  Say("one");
  const auto first = sender_.PieceFor({ServerId(2), std::nullopt, 0});
  Say("two");
  sender_.DropIdle();  // it was asked for since the last time
  EXPECT_EQ(sender_.PieceFor({ServerId(2), first->point.index, 0})->point, first->point);
  sender_.DropIdle();
  sender_.DropIdle();
  const auto other = sender_.PieceFor({ServerId(2), first->point.index, 17});
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->offset, 0u);
  EXPECT_EQ(other->point.index, LogIndex(2));
}

TEST_F(SnapshotSenderTest, EachPeerHasItsOwn) {
  Say("one");
  const auto first = sender_.PieceFor({ServerId(2), std::nullopt, 0});
  Say("two");
  EXPECT_EQ(sender_.PieceFor({ServerId(3), std::nullopt, 0})->point.index, LogIndex(2));
  EXPECT_EQ(sender_.PieceFor({ServerId(2), first->point.index, 0})->point.index, LogIndex(1));
}

}  // namespace
}  // namespace cairn::testing
