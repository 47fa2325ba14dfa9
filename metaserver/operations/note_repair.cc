#include "metaserver/operations/add_event.h"
#include "metaserver/operations/operations.h"

namespace cairn {
namespace {

constexpr int kMostEvents = 100;

}  // namespace

// How a repair stands, so that every member can say it and the next leader goes on from it.
Result<v1::Outcome> NoteRepair(const v1::Command& command, MetadataTransaction& txn) {
  const v1::NoteRepairCommand& note = command.note_repair();
  if (note.events_size() > kMostEvents) {
    return Fail(ErrorCode::kTooLarge, "{} events", note.events_size());
  }
  if (note.has_repair()) txn.Put(schema::RepairKey(), note.repair());
  for (const v1::EventRecord& event : note.events()) AddEvent(event, command.time(), txn);
  return v1::Outcome();
}

}  // namespace cairn
