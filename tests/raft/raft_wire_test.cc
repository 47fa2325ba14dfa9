#include "raft/raft_wire.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

using raft::Message;
using raft::Time;

Message Around(Message message) {
  message.from = ServerId(1);
  message.to = ServerId(2);
  message.term = Term(7);
  message.incarnation = Incarnation(3);
  v1::RaftMessage proto;
  CAIRN_CHECK(proto.ParseFromString(ToProto(message).SerializeAsString()));
  Result<Message> back = FromProto(proto);
  CAIRN_CHECK(back.has_value());
  EXPECT_EQ(back->from, message.from);
  EXPECT_EQ(back->to, message.to);
  EXPECT_EQ(back->term, message.term);
  EXPECT_EQ(back->incarnation, message.incarnation);
  EXPECT_EQ(back->tag, 0u);
  return *std::move(back);
}

template <typename Body>
Body Around(Body body) {
  Message message;
  message.body = std::move(body);
  return std::get<Body>(Around(std::move(message)).body);
}

raft::Membership Three() {
  return {
      {{ServerId(1), "a:1"}, {ServerId(2), "b:1"}}, {{ServerId(1), "a:1"}}, {{ServerId(9), ""}}};
}

TEST(RaftWireTest, VotesComeThrough) {
  const auto request = Around(raft::VoteRequest{true, true, LogIndex(5), Term(4)});
  EXPECT_TRUE(request.pre && request.transfer);
  EXPECT_EQ(request.last_index, LogIndex(5));
  EXPECT_EQ(request.last_term, Term(4));
  const auto reply = Around(raft::VoteReply{false, true});
  EXPECT_TRUE(!reply.pre && reply.granted);
  Around(raft::TimeoutNow());
}

TEST(RaftWireTest, EntriesComeThroughWithTheirIndexes) {
  raft::AppendRequest request{LogIndex(10), Term(2), LogIndex(9), Time(123), {}};
  request.entries.push_back({Term(2), LogIndex(11), std::string("\0x", 2)});
  request.entries.push_back({Term(3), LogIndex(12), "", EntryKind::kNoop});
  request.entries.push_back({Term(3), LogIndex(13), Encode(Three()), EntryKind::kMembership});
  const auto back = Around(request);
  EXPECT_EQ(back.previous_index, LogIndex(10));
  EXPECT_EQ(back.previous_term, Term(2));
  EXPECT_EQ(back.commit, LogIndex(9));
  EXPECT_EQ(back.sent_at, Time(123));
  EXPECT_EQ(back.entries, request.entries);
}

TEST(RaftWireTest, AnswersToEntriesComeThrough) {
  const auto back = Around(raft::AppendReply{true, LogIndex(4), LogIndex(3), Term(2), Time(99)});
  EXPECT_TRUE(back.accepted);
  EXPECT_EQ(back.match, LogIndex(4));
  EXPECT_EQ(back.hint_index, LogIndex(3));
  EXPECT_EQ(back.hint_term, Term(2));
  EXPECT_EQ(back.sent_at, Time(99));
}

TEST(RaftWireTest, SnapshotsComeThrough) {
  const raft::SnapshotPiece piece{{LogIndex(8), Term(2), Three()}, 77, "rows", true, Time(5)};
  const auto back = Around(piece);
  EXPECT_EQ(back.point, piece.point);
  EXPECT_EQ(back.offset, 77u);
  EXPECT_EQ(back.data, "rows");
  EXPECT_TRUE(back.last);
  const auto reply = Around(raft::SnapshotReply{LogIndex(8), 81, Time(5)});
  EXPECT_EQ(reply.index, LogIndex(8));
  EXPECT_EQ(reply.next_offset, 81u);
}

TEST(RaftWireTest, WhatNoMemberSaysIsRefused) {
  v1::RaftMessage proto;
  EXPECT_THAT(FromProto(proto), StatusIs(ErrorCode::kCorruption));
  v1::RaftEntry& entry = *proto.mutable_append_request()->add_entries();
  entry.set_kind(3);
  EXPECT_THAT(FromProto(proto), StatusIs(ErrorCode::kCorruption));
  entry.set_kind(static_cast<uint32_t>(EntryKind::kMembership));
  entry.set_command("not a membership");
  EXPECT_THAT(FromProto(proto), StatusIs(ErrorCode::kCorruption));
  entry.set_kind(0);
  EXPECT_THAT(FromProto(proto), IsOk());
  proto.mutable_append_request()->set_previous_term(5);  // terms never fall
  EXPECT_THAT(FromProto(proto), StatusIs(ErrorCode::kCorruption));
  proto.mutable_snapshot_piece()->set_membership("\x01");
  EXPECT_THAT(FromProto(proto), StatusIs(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace cairn
