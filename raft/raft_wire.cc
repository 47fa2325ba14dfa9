#include "raft/raft_wire.h"

#include <utility>

#include "raft/storage/log_format.h"

namespace cairn {

namespace {

using raft::Time;

struct BodyToProto {
  v1::RaftMessage& proto;

  void operator()(const raft::VoteRequest& body) const {
    v1::RaftVoteRequest& out = *proto.mutable_vote_request();
    out.set_pre(body.pre);
    out.set_transfer(body.transfer);
    out.set_last_index(body.last_index.value);
    out.set_last_term(body.last_term.value);
  }
  void operator()(const raft::VoteReply& body) const {
    proto.mutable_vote_reply()->set_pre(body.pre);
    proto.mutable_vote_reply()->set_granted(body.granted);
  }
  void operator()(const raft::AppendRequest& body) const {
    v1::RaftAppendRequest& out = *proto.mutable_append_request();
    out.set_previous_index(body.previous_index.value);
    out.set_previous_term(body.previous_term.value);
    out.set_commit(body.commit.value);
    out.set_sent_at(body.sent_at.count());
    for (const LogEntry& entry : body.entries) {
      v1::RaftEntry& one = *out.add_entries();
      one.set_term(entry.term.value);
      one.set_kind(static_cast<uint32_t>(entry.kind));
      one.set_command(entry.command);
    }
  }
  void operator()(const raft::AppendReply& body) const {
    v1::RaftAppendReply& out = *proto.mutable_append_reply();
    out.set_accepted(body.accepted);
    out.set_match(body.match.value);
    out.set_hint_index(body.hint_index.value);
    out.set_hint_term(body.hint_term.value);
    out.set_sent_at(body.sent_at.count());
  }
  void operator()(const raft::SnapshotPiece& body) const {
    v1::RaftSnapshotPiece& out = *proto.mutable_snapshot_piece();
    out.set_index(body.point.index.value);
    out.set_term(body.point.term.value);
    out.set_membership(raft::Encode(body.point.membership));
    out.set_offset(body.offset);
    out.set_data(body.data);
    out.set_last(body.last);
    out.set_sent_at(body.sent_at.count());
  }
  void operator()(const raft::SnapshotReply& body) const {
    v1::RaftSnapshotReply& out = *proto.mutable_snapshot_reply();
    out.set_index(body.index.value);
    out.set_next_offset(body.next_offset);
    out.set_sent_at(body.sent_at.count());
  }
  void operator()(const raft::TimeoutNow&) const { proto.mutable_timeout_now(); }
};

Result<raft::AppendRequest> AppendFrom(const v1::RaftAppendRequest& proto, uint64_t term) {
  raft::AppendRequest body;
  body.previous_index = LogIndex(proto.previous_index());
  body.previous_term = Term(proto.previous_term());
  body.commit = LogIndex(proto.commit());
  body.sent_at = Time(proto.sent_at());
  LogEntry entry{body.previous_term, body.previous_index, ""};
  for (const v1::RaftEntry& one : proto.entries()) {
    if (one.term() < entry.term.value || one.term() > term ||
        one.kind() > static_cast<uint32_t>(EntryKind::kMembership) ||
        one.command().size() > log_format::kMaxCommandBytes) {
      return Fail(ErrorCode::kCorruption, "entry {} of term {}, kind {} and {} bytes",
                  entry.index.value + 1, one.term(), one.kind(), one.command().size());
    }
    entry = {Term(one.term()), LogIndex(entry.index.value + 1), one.command(),
             static_cast<EntryKind>(one.kind())};
    if (entry.kind == EntryKind::kMembership) {
      RETURN_IF_ERROR(raft::DecodeMembership(entry.command));
    }
    body.entries.push_back(entry);
  }
  return body;
}

Result<raft::SnapshotPiece> PieceFrom(const v1::RaftSnapshotPiece& proto) {
  raft::SnapshotPiece body;
  body.point.index = LogIndex(proto.index());
  body.point.term = Term(proto.term());
  ASSIGN_OR_RETURN(body.point.membership, raft::DecodeMembership(proto.membership()));
  body.offset = proto.offset();
  body.data = proto.data();
  body.last = proto.last();
  body.sent_at = Time(proto.sent_at());
  return body;
}

}  // namespace

v1::RaftMessage ToProto(const raft::Message& message) {
  v1::RaftMessage proto;
  proto.set_from(message.from.value);
  proto.set_to(message.to.value);
  proto.set_term(message.term.value);
  proto.set_incarnation(message.incarnation.value);
  std::visit(BodyToProto{proto}, message.body);
  return proto;
}

Result<raft::Message> FromProto(const v1::RaftMessage& proto) {
  raft::Message message;
  message.from = ServerId(proto.from());
  message.to = ServerId(proto.to());
  message.term = Term(proto.term());
  message.incarnation = Incarnation(proto.incarnation());
  switch (proto.body_case()) {
    case v1::RaftMessage::kVoteRequest: {
      const auto& body = proto.vote_request();
      message.body = raft::VoteRequest{body.pre(), body.transfer(), LogIndex(body.last_index()),
                                       Term(body.last_term())};
      return message;
    }
    case v1::RaftMessage::kVoteReply:
      message.body = raft::VoteReply{proto.vote_reply().pre(), proto.vote_reply().granted()};
      return message;
    case v1::RaftMessage::kAppendRequest: {
      ASSIGN_OR_RETURN(message.body, AppendFrom(proto.append_request(), proto.term()));
      return message;
    }
    case v1::RaftMessage::kAppendReply: {
      const auto& body = proto.append_reply();
      message.body =
          raft::AppendReply{body.accepted(), LogIndex(body.match()), LogIndex(body.hint_index()),
                            Term(body.hint_term()), Time(body.sent_at())};
      return message;
    }
    case v1::RaftMessage::kSnapshotPiece: {
      ASSIGN_OR_RETURN(message.body, PieceFrom(proto.snapshot_piece()));
      return message;
    }
    case v1::RaftMessage::kSnapshotReply: {
      const auto& body = proto.snapshot_reply();
      message.body =
          raft::SnapshotReply{LogIndex(body.index()), body.next_offset(), Time(body.sent_at())};
      return message;
    }
    case v1::RaftMessage::kTimeoutNow:
      message.body = raft::TimeoutNow();
      return message;
    case v1::RaftMessage::BODY_NOT_SET:
      break;
  }
  return Fail(ErrorCode::kCorruption, "a message of an unknown kind");
}

}  // namespace cairn
