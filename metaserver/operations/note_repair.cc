#include "metaserver/operations/operations.h"

namespace cairn {
namespace {

constexpr uint64_t kEventsKept = 1000;
constexpr int kMostEvents = 100;

}  // namespace

// How a repair stands, so that every member can say it and the next leader goes on from it.
Result<v1::Outcome> NoteRepair(const v1::Command& command, MetadataTransaction& txn) {
  const v1::NoteRepairCommand& note = command.note_repair();
  if (note.events_size() > kMostEvents) {
    return Fail(ErrorCode::kTooLarge, "{} events", note.events_size());
  }
  if (note.has_repair()) txn.Put(schema::RepairKey(), note.repair());
  for (v1::EventRecord event : note.events()) {
    const uint64_t sequence = txn.state().next_event() + 1;
    event.set_sequence(sequence);
    *event.mutable_time() = command.time();
    txn.Put(schema::EventKey(sequence), event);
    if (sequence > kEventsKept) txn.Erase(schema::EventKey(sequence - kEventsKept));
    txn.mutable_state().set_next_event(sequence);
  }
  return v1::Outcome();
}

}  // namespace cairn
