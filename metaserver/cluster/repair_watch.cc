#include "metaserver/cluster/repair_watch.h"

#include <pthread.h>

#include "absl/time/time.h"
#include "common/logging.h"
#include "metaserver/cluster/cluster_shape.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/store/rows.h"
#include "metaserver/store/schema.h"

namespace cairn {

RepairWatch::~RepairWatch() {
  Stop();
}

void RepairWatch::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "repair-watch");
    Run();
  });
}

void RepairWatch::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void RepairWatch::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Seconds(1));
      if (stopping_) return;
    }
    const Status status = Tick();
    if (!status.ok()) LOG_WARN("the state of repair could not be recorded reason=\"{}\"", status);
  }
}

Status RepairWatch::LoadTracker(Term term) {
  if (tracked_in_ == term) return OkStatus();
  ASSIGN_OR_RETURN(const auto record,
                   LoadRow<v1::RepairRecord>(*state_.View(), schema::RepairKey()));
  tracker_.Load(record);
  tracked_in_ = term;
  return OkStatus();
}

Status RepairWatch::Tick() {
  const Term term = state_.ServingTerm();
  if (term == Term()) return OkStatus();  // the leader watches
  RETURN_IF_ERROR(LoadTracker(term));
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const WallTime wall = clock_.WallNow();
  const RepairLook look = LookAtRepair(LookAtShape(*map, registry_, wall));
  std::optional<v1::NoteRepairCommand> note = tracker_.Next(look, clock_.Now(), wall);
  if (!note.has_value()) return OkStatus();
  for (const v1::EventRecord& event : note->events()) {
    LOG_INFO("event code={} subject=\"{}\" text=\"{}\"", event.code(), event.subject(),
             event.text());
  }
  v1::Command command;
  *command.mutable_note_repair() = *std::move(note);
  command.set_only_in_term(term.value);
  const Status recorded = StatusOfOutcome(state_.ProposeAndWait(std::move(command)));
  // The tracker is ahead of the record: it begins again from that.
  if (!recorded.ok()) tracked_in_ = Term();
  return recorded;
}

}  // namespace cairn
