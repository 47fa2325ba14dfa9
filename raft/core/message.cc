#include "raft/core/message.h"

#include <fmt/format.h>

namespace cairn::raft {

namespace {

struct BodyText {
  std::string operator()(const VoteRequest& body) const {
    return fmt::format("{}{} last={}/{}", body.pre ? "PreVote" : "Vote",
                       body.transfer ? "(transfer)" : "", body.last_index, body.last_term);
  }
  std::string operator()(const VoteReply& body) const {
    return fmt::format("{} {}", body.pre ? "PreVoteReply" : "VoteReply",
                       body.granted ? "granted" : "refused");
  }
  std::string operator()(const AppendRequest& body) const {
    std::string text = fmt::format("Append previous={}/{} commit={}", body.previous_index,
                                   body.previous_term, body.commit);
    if (!body.entries.empty()) {
      text += fmt::format(" entries={}..{}", body.entries.front().index, body.entries.back().index);
    }
    return text;
  }
  std::string operator()(const AppendReply& body) const {
    if (body.accepted) return fmt::format("AppendReply match={}", body.match);
    return fmt::format("AppendReply refused hint={}/{}", body.hint_index, body.hint_term);
  }
  std::string operator()(const SnapshotPiece& body) const {
    return fmt::format("SnapshotPiece point={}/{} offset={} bytes={}{}", body.point.index,
                       body.point.term, body.offset, body.data.size(), body.last ? " last" : "");
  }
  std::string operator()(const SnapshotReply& body) const {
    return fmt::format("SnapshotReply index={} next={}", body.index, body.next_offset);
  }
  std::string operator()(const TimeoutNow&) const { return "TimeoutNow"; }
};

}  // namespace

std::string ToString(const Message& message) {
  return fmt::format("{}->{} term={} {}", message.from, message.to, message.term,
                     std::visit(BodyText(), message.body));
}

}  // namespace cairn::raft
