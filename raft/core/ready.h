// What the core wants done. The driver does it and reports back; it decides nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "raft/core/message.h"

namespace cairn::raft {

// What a member must not forget (Raft 5.1).
struct HardState {
  Term term;
  ServerId vote;  // 0: nobody in this term

  friend bool operator==(const HardState&, const HardState&) = default;
};

// To be on disk, hard state first and file and directory synced (rule M4), before Persisted(). Only
// one is under way at a time.
struct WriteBatch {
  uint64_t number = 0;  // for Persisted()
  std::optional<HardState> hard_state;
  // Entries of the log at or above the first of these are replaced. May be empty.
  std::vector<LogEntry> entries;
};

// The linearizable read asked for with `id` may be answered from a state that has applied `index`.
struct ReadGrant {
  uint64_t id = 0;
  bool granted = false;  // false: not the leader, or no longer
  LogIndex index;
};

// The leader needs a piece of a snapshot for `peer`: answer with SupplySnapshot().
struct SnapshotWanted {
  ServerId peer;
  // The snapshot under way, to be continued at `offset`; without it choose one, from offset 0.
  std::optional<LogIndex> index;
  uint64_t offset = 0;
};

struct Ready {
  std::optional<WriteBatch> write;
  // May be sent at once: whatever had to be on disk before them is.
  std::vector<Message> messages;
  // To be applied in this order. They are on this member's disk as well.
  std::vector<LogEntry> committed;
  std::vector<ReadGrant> reads;
  std::vector<SnapshotWanted> snapshots_wanted;
  // A piece that came from the leader; pieces of one snapshot come in order, offset 0 begins anew.
  // After the last one: make it durable, install it, say SnapshotInstalled() or SnapshotRefused().
  // Nothing is committed meanwhile.
  std::optional<SnapshotPiece> incoming_piece;
  // Lost entries (StartState::may_have_acknowledged) are back: their mark may be forgotten.
  bool recovered = false;

  bool empty() const {
    return !write && messages.empty() && committed.empty() && reads.empty() &&
           snapshots_wanted.empty() && !incoming_piece && !recovered;
  }
};

}  // namespace cairn::raft
