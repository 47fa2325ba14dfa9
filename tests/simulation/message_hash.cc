#include "tests/simulation/message_hash.h"

#include "common/hash.h"

namespace cairn::simulation {

namespace {

template <typename... Numbers>
uint64_t Mix(Numbers... numbers) {
  uint64_t hash = sizeof...(numbers);
  ((hash = MixBits(hash ^ static_cast<uint64_t>(numbers))), ...);
  return hash;
}

struct BodyHash {
  uint64_t operator()(const raft::VoteRequest& m) const {
    return Mix(m.pre, m.transfer, m.last_index.value, m.last_term.value);
  }
  uint64_t operator()(const raft::VoteReply& m) const { return Mix(m.pre, m.granted); }
  uint64_t operator()(const raft::AppendRequest& m) const {
    return Mix(m.previous_index.value, m.previous_term.value, m.commit.value, m.sent_at.count(),
               m.entries.size());
  }
  uint64_t operator()(const raft::AppendReply& m) const {
    return Mix(m.accepted, m.match.value, m.hint_index.value, m.hint_term.value, m.sent_at.count());
  }
  uint64_t operator()(const raft::SnapshotPiece& m) const {
    return Mix(m.point.index.value, m.offset, m.data.size(), m.last, m.sent_at.count());
  }
  uint64_t operator()(const raft::SnapshotReply& m) const {
    return Mix(m.index.value, m.next_offset, m.sent_at.count());
  }
  uint64_t operator()(const raft::TimeoutNow&) const { return 7; }
};

}  // namespace

uint64_t HashOf(const raft::Message& message) {
  return Mix(message.from.value, message.to.value, message.term.value, message.incarnation.value,
             message.body.index(), std::visit(BodyHash(), message.body));
}

}  // namespace cairn::simulation
