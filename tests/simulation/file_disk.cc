#include "tests/simulation/file_disk.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "raft/storage/log_survey.h"

namespace cairn::simulation {

namespace {
constexpr char kDirectory[] = "/log";
}  // namespace

// Of the storage's own words only those count that were said while there was power.
Status FileDisk::Judge(const Status& status) const {
  if (files_.was_cut()) return Status(ErrorCode::kUnavailable, "the power is gone");
  return status;
}

Result<raft::StartState> FileDisk::Open(const raft::SnapshotPoint& applied) {
  storage_.reset();
  const raft::Members& voters = applied.membership.voters;
  // As the metaserver does it: nobody else is known to have what would be lost.
  const bool alone = voters.empty() || (voters.size() == 1 && voters.contains(self_));
  LogStorageOptions options;
  options.segment_bytes = segment_bytes_;
  options.applied = applied.index;
  options.on_damage = alone ? DamagePolicy::kRefuse : DamagePolicy::kRefetch;
  files_.SetOpening(true);
  Result<std::unique_ptr<LogStorage>> opened = LogStorage::Open(kDirectory, files_, options);
  files_.SetOpening(false);
  RETURN_IF_ERROR(Judge(opened ? OkStatus() : opened.error()));
  RETURN_IF_ERROR(promises_.Check(**opened, applied.index));
  storage_ = *std::move(opened);
  promises_.Adopt(*storage_);
  // As the metaserver does: the log is of before the snapshot and tells another story at its point.
  const std::optional<Term> there = storage_->TermAt(applied.index);
  if (applied.index.value != 0 && there && *there != applied.term) {
    RETURN_IF_ERROR(Reset(LogIndex(applied.index.value + 1)));
  }
  return storage_->MakeStartState(applied);
}

Status FileDisk::Write(const raft::WriteBatch& batch) {
  promises_.BeginWrite(batch);
  const Status status = Judge(storage_->Write(batch.hard_state, batch.entries));
  if (status.code() == ErrorCode::kNoSpace) promises_.WithdrawWrite(*storage_);
  RETURN_IF_ERROR(status);
  promises_.EndWrite(batch);
  CAIRN_CHECK(storage_->last_index() >= synced());
  return OkStatus();
}

void FileDisk::WritePartly(const raft::WriteBatch& batch, bool torn, Random& random) {
  // An append has two changes, with the facts it has eight, with a new segment even more.
  constexpr uint64_t kChanges[] = {2, 2, 9, 25};
  promises_.BeginWrite(batch);
  files_.CutAfter(random.Below(kChanges[random.Below(std::size(kChanges))]),
                  torn ? random.Between(0, 1000) : 0);
  (void)storage_->Write(batch.hard_state, batch.entries).ok();
  storage_.reset();
  files_.Mend();
}

Status FileDisk::Compact(LogIndex through) {
  RETURN_IF_ERROR(Judge(storage_->Compact(through)));
  promises_.Compacted(storage_->first_index());
  return OkStatus();
}

Status FileDisk::Reset(LogIndex first) {
  promises_.BeginReset(first);
  RETURN_IF_ERROR(Judge(storage_->Reset(first)));
  promises_.EndReset();
  return OkStatus();
}

Status FileDisk::ForgetLost() {
  RETURN_IF_ERROR(Judge(storage_->ForgetLost()));
  promises_.ForgetLost();
  return OkStatus();
}

Status FileDisk::Close() {
  RETURN_IF_ERROR(Judge(storage_->Close()));
  promises_.MarkAll();
  return OkStatus();
}

LogIndex FileDisk::first_index() const {
  return storage_ ? storage_->first_index() : promises_.first_index();
}

LogIndex FileDisk::last_index() const {
  return storage_ ? storage_->last_index() : promises_.synced();
}

std::optional<Term> FileDisk::TermAt(LogIndex index) const {
  return storage_ ? storage_->TermAt(index) : promises_.TermAt(index);
}

Result<std::vector<LogEntry>> FileDisk::ReadEntries(LogIndex from, size_t max_bytes) {
  return storage_->ReadEntries(from, max_bytes);
}

void FileDisk::LosePower(Random& random) {
  storage_.reset();
  files_.Mend();
  files_.LosePower(random);
}

bool FileDisk::LosePowerAfter(uint64_t changes, Random& random) {
  files_.CutAfter(changes, random.Between(0, 1000));
  return true;
}

void FileDisk::Heal() {
  files_.SetFull(false);
  // Whoever had lost the power already must notice.
  if (!files_.was_cut()) files_.Mend();
}

FileDisk::Place FileDisk::Find(LogIndex index) {
  const Result<LogSurvey> survey = SurveyLog(files_, kDirectory, LogIndex(0), segment_bytes_);
  CAIRN_CHECK(survey.has_value());
  for (const auto& segment : survey->segments) {
    if (index < segment->first_index() || index > segment->last_index()) continue;
    const size_t begin = segment->Find(index, 0, 1).begin;
    const Result<std::string> bytes = LoadSegmentBytes(files_, segment->path());
    CAIRN_CHECK(bytes.has_value());
    return {segment->path(), begin,
            log_format::PeekRecordBytes(std::string_view(*bytes).substr(begin))};
  }
  CAIRN_CHECK(false);  // a synced entry is in some segment
  return {};
}

bool FileDisk::FlipBit(Random& random) {
  const uint64_t first = first_index().value;
  const uint64_t last = std::min(promises_.marked(), last_index()).value;
  if (storage_ == nullptr || last < first) return false;
  // Mostly in what was written lately: the oldest entries are in every state already.
  const uint64_t range = std::min<uint64_t>(last - first + 1, random.Chance(700) ? 10 : last);
  const LogIndex index(last - random.Below(range));
  const Place place = Find(index);
  files_.FlipBit(place.path, place.offset + random.Below(place.size_bytes),
                 static_cast<unsigned>(random.Below(8)));
  promises_.Spoil(index);
  return true;
}

}  // namespace cairn::simulation
