// The timeline that `cairn events` shows: a row each, the oldest go.
#pragma once

#include "cairn/v1/records.pb.h"
#include "metaserver/store/transaction.h"

namespace cairn {

inline constexpr uint64_t kEventsKept = 1000;

// Gives the event its sequence and `time`.
inline void AddEvent(v1::EventRecord event, const v1::Time& time, MetadataTransaction& txn) {
  const uint64_t sequence = txn.state().next_event() + 1;
  event.set_sequence(sequence);
  *event.mutable_time() = time;
  txn.Put(schema::EventKey(sequence), event);
  if (sequence > kEventsKept) txn.Erase(schema::EventKey(sequence - kEventsKept));
  txn.mutable_state().set_next_event(sequence);
}

}  // namespace cairn
