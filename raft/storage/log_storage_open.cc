// How a log is opened: looked at, planned for, and put in order.
#include <utility>

#include "common/logging.h"
#include "raft/storage/durable_file.h"
#include "raft/storage/log_storage.h"
#include "raft/storage/log_survey.h"

namespace cairn {

namespace {

void Tell(const LogFindings& found, const RecoveryPlan& plan, const std::string& directory) {
  if (plan.begin_at && plan.facts.lost >= *plan.begin_at) {
    LOG_WARN("log entries are lost, they must be fetched again directory={} ends={} reached={} "
             "cause={}", directory, plan.facts.synced, plan.facts.lost, found.damage);
  } else if (found.has_segments && plan.begins_log) {
    LOG_INFO("log begins anew behind the state directory={} first={} had_ended={}", directory,
             *plan.begin_at, found.last);
  } else if (!found.damage.ok()) {
    LOG_WARN("damaged log entries are forgotten, the state has them directory={} first={} cause={}",
             directory, found.first, found.damage);
  }
}

}  // namespace

bool LogStorage::Exists(FileSystem& files, const std::string& directory) {
  return files.Exists(LogFactsPath(directory));
}

Result<std::unique_ptr<LogStorage>> LogStorage::Open(const std::string& directory,
                                                     FileSystem& files,
                                                     const LogStorageOptions& options) {
  std::unique_ptr<LogStorage> storage(new LogStorage(directory, files, options));
  RETURN_IF_ERROR(storage->Recover());
  return storage;
}

Status LogStorage::Recover() {
  RETURN_IF_ERROR(files_.MakeDirectory(directory_));
  ASSIGN_OR_RETURN(LogSurvey survey,
                   SurveyLog(files_, directory_, options_.applied, options_.segment_bytes));
  const LogFindings& found = survey.findings;
  Result<RecoveryPlan> plan = PlanRecovery(found, options_.applied, options_.on_damage);
  if (!plan.has_value()) {
    return Status::Error(plan.error().code(), "log {}: {}", directory_, plan.error().message());
  }
  Tell(found, *plan, directory_);
  if (!found.facts) RETURN_IF_ERROR(SyncDirectoryOrFail(files_, DirectoryOf(directory_)));
  outline_ = std::move(survey.outline);
  spare_ = std::move(survey.spare);
  {
    absl::MutexLock lock(&mu_);
    for (auto& segment : survey.segments) segments_.push_back(std::move(segment));
  }
  return CarryOut(*plan, survey.leftovers);
}

Status LogStorage::CarryOut(const RecoveryPlan& plan, const std::vector<std::string>& leftovers) {
  // What was read may only be in the page cache, of a process that was killed: the facts must not
  // say that it was on disk, nor this life count it as persisted, before it is.
  if (segment_count() > 0) RETURN_IF_ERROR(Newest()->Sync());
  RETURN_IF_ERROR(SaveFacts(plan.facts));
  if (!plan.begin_at) {
    RETURN_IF_ERROR(RemoveLeftovers(leftovers));
    return Newest()->Cut();
  }
  RETURN_IF_ERROR(BeginSegment(*plan.begin_at, 0, plan.begins_log));
  return RemoveLeftovers(leftovers);
}

Status LogStorage::RemoveLeftovers(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    // A new segment may have taken the place of an old one.
    if (path != Newest()->path()) RETURN_IF_ERROR(RemoveDurably(files_, path));
  }
  return OkStatus();
}

}  // namespace cairn
