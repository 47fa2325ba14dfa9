// What members of a group say to each other. Plain values: the driver puts them on the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.h"
#include "raft/core/log_entry.h"
#include "raft/core/membership.h"

namespace cairn::raft {

// A point on the clock of one member; it goes on while the machine sleeps and never jumps back.
using Time = std::chrono::nanoseconds;

// Where a state stands: everything up to `index` is in it.
struct SnapshotPoint {
  LogIndex index;
  Term term;              // of the entry at `index`
  Membership membership;  // as of `index`

  friend bool operator==(const SnapshotPoint&, const SnapshotPoint&) = default;
};

// Would you vote, or do you vote (Raft 5.2, 9.6)?
struct VoteRequest {
  bool pre = false;       // pre-vote: nothing is promised, no term is raised
  bool transfer = false;  // the leader asked for this election: its lease is given up (Raft 3.10)
  LogIndex last_index;
  Term last_term;
};
struct VoteReply {
  bool pre = false;
  bool granted = false;
};

// Entries behind `previous`; without any it is a heartbeat.
struct AppendRequest {
  LogIndex previous_index;
  Term previous_term;
  LogIndex commit;
  Time sent_at{};  // on the leader's clock; the reply carries it back (lease, ReadIndex)
  std::vector<LogEntry> entries;
};
struct AppendReply {
  bool accepted = false;
  // Accepted: everything up to here equals the leader's log and is on the sender's disk.
  LogIndex match;
  // Refused: the last index the sender may have in common with the leader, and its term there.
  LogIndex hint_index;
  Term hint_term;
  Time sent_at{};
};

// A state in pieces, for a member that needs entries the log no longer has.
struct SnapshotPiece {
  SnapshotPoint point;
  uint64_t offset = 0;
  std::string data;
  bool last = false;
  Time sent_at{};
};
struct SnapshotReply {
  LogIndex index;            // of the snapshot
  uint64_t next_offset = 0;  // wanted next; 0: from the beginning
  Time sent_at{};
};

// Campaign at once: leadership is handed over.
struct TimeoutNow {};

struct Message {
  ServerId from;
  ServerId to;
  Term term;
  // The sender's start: what an earlier life said is not heard any more (rule M4).
  Incarnation incarnation;
  // Given by whoever carries a request; its reply bears the same one.
  uint64_t tag = 0;
  std::variant<VoteRequest, VoteReply, AppendRequest, AppendReply, SnapshotPiece, SnapshotReply,
               TimeoutNow>
      body;
};

// One line for logs, transcripts and trace hashes.
std::string ToString(const Message& message);

}  // namespace cairn::raft
