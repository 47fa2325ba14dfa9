// What a leader knows of one peer. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "common/ids.h"
#include "raft/core/message.h"

namespace cairn::raft {

// A snapshot on its way to a peer: one piece at a time.
struct SnapshotTransfer {
  std::optional<LogIndex> index;  // chosen by whoever supplies the first piece
  uint64_t offset = 0;            // of the piece under way or wanted
  uint64_t end = 0;               // behind the piece under way
  bool wanted = true;             // a piece is to be asked of the driver, or was
  bool asked = false;             // it was
  bool last = false;              // the piece under way is the last one
  Time sent_at{};                 // when something last happened
};

struct Progress {
  // Probing: the common point is looked for, one message at a time. Otherwise entries are streamed.
  bool probing = true;
  LogIndex match;    // on the peer's disk and equal to ours, in its present life (M4)
  LogIndex next{1};  // the next entry to send
  Time confirmed{};  // when a message was sent that it has answered (lease)
  Time heard{};      // when it last answered (check-quorum)
  struct Flight {
    LogIndex last;
    Time sent_at;
  };
  std::deque<Flight> in_flight;  // messages with entries, oldest first
  std::optional<SnapshotTransfer> snapshot;

  // It confirmed the log through `index`.
  void Advance(LogIndex index) {
    match = std::max(match, index);
    next = std::max(next, LogIndex(match.value + 1));
    while (!in_flight.empty() && in_flight.front().last <= match) in_flight.pop_front();
  }
  // Starts looking for the common point from `from` on.
  void Probe(LogIndex from) {
    probing = true;
    next = std::max(from, LogIndex(match.value + 1));
    in_flight.clear();
    snapshot.reset();
  }
};

}  // namespace cairn::raft
