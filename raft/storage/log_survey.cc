#include "raft/storage/log_survey.h"

#include <algorithm>
#include <utility>

namespace cairn {

using log_format::SegmentHeader;

namespace {

constexpr std::string_view kSpareName = "spare.tmp";

// A segment file that is there.
struct Candidate {
  LogIndex first;  // as its name says
  std::string path;
  std::optional<SegmentHeader> header;  // none: damaged
};

Result<std::optional<SegmentHeader>> PeekHeader(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  std::string bytes(log_format::kSegmentHeaderBytes, '\0');
  auto out = std::as_writable_bytes(std::span(bytes.data(), bytes.size()));
  ASSIGN_OR_RETURN(size_t got, file->Read(0, out));
  return log_format::DecodeSegmentHeader(std::string_view(bytes).substr(0, got));
}

// A segment ends the log where it begins: an older one that begins there or behind is superseded,
// and if it begins the log, so is every older one.
bool IsSuperseded(const Candidate& old, const std::vector<Candidate>& all) {
  return std::any_of(all.begin(), all.end(), [&](const Candidate& other) {
    if (!other.header) return false;
    if (!old.header) return other.header->begins_log && old.first < other.first;
    return other.header->IsNewerThan(*old.header) &&
           (other.header->begins_log || other.first <= old.first);
  });
}

class Surveyor {
 public:
  Surveyor(FileSystem& files, std::string directory, LogIndex applied, size_t segment_bytes)
      : files_(files), directory_(std::move(directory)), applied_(applied),
        segment_bytes_(segment_bytes) {}

  Result<LogSurvey> Run() {
    RETURN_IF_ERROR(LoadFacts());
    ASSIGN_OR_RETURN(const std::vector<Candidate> live, ListLiveSegments());
    if (!live.empty()) BeginAt(live.front().first);
    for (size_t i = 0; i < live.size(); ++i) {
      const bool newest = i + 1 == live.size();
      RETURN_IF_ERROR(Take(live[i], newest ? std::nullopt : std::optional(live[i + 1].first)));
    }
    std::sort(survey_.leftovers.begin(), survey_.leftovers.end());
    found().highest = std::max({found().highest, found().last, facts().synced});
    return std::move(survey_);
  }

 private:
  LogFindings& found() { return survey_.findings; }
  LogFacts facts() { return found().facts.value_or(LogFacts{}); }
  void BeginAt(LogIndex first) {
    found().first = first;
    found().last = LogIndex(first.value - 1);
  }

  Status LoadFacts() {
    Result<LogFacts> facts = LoadLogFacts(files_, LogFactsPath(directory_));
    if (facts.has_value()) found().facts = *std::move(facts);
    return facts.has_value() || facts.error().code() == ErrorCode::kNotFound ? OkStatus()
                                                                             : facts.error();
  }

  Result<std::vector<Candidate>> ListSegments() {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory_));
    std::vector<Candidate> all;
    for (const std::string& name : names) {
      std::string path = directory_ + "/" + name;
      if (name == kSpareName) survey_.spare = SpareFile{path, 0};
      const std::optional<LogIndex> first = ParseSegmentName(name);
      if (!first) continue;
      ASSIGN_OR_RETURN(std::optional<SegmentHeader> header, PeekHeader(files_, path));
      if (header && header->first_index != *first) header.reset();
      all.push_back({*first, std::move(path), header});
    }
    return all;  // names have a fixed width, so they are in order
  }

  // Those that nothing has superseded, in order.
  Result<std::vector<Candidate>> ListLiveSegments() {
    ASSIGN_OR_RETURN(const std::vector<Candidate> all, ListSegments());
    found().has_segments = !all.empty();
    std::vector<Candidate> live;
    for (const Candidate& candidate : all) {
      if (IsSuperseded(candidate, all)) {
        survey_.leftovers.push_back(candidate.path);
      } else {
        live.push_back(candidate);
      }
    }
    return live;
  }

  // `next`: where the segment behind it begins.
  Status Take(const Candidate& candidate, std::optional<LogIndex> next) {
    if (found().cut_short) return TakeTraces(candidate);
    const std::vector<LogOutline::TermStart>& terms = survey_.outline.terms();
    const ScanLimits limits{next, facts().synced, terms.empty() ? Term() : terms.back().term};
    Result<LogSegment::Loaded> loaded =
        LogSegment::Load(files_, candidate.path, candidate.first, limits, segment_bytes_);
    if (!loaded.has_value()) {
      if (loaded.error().code() != ErrorCode::kCorruption) return loaded.error();
      return TakeDamaged(candidate, next, loaded.error());
    }
    const std::optional<size_t> damaged_at = loaded->damaged_at;
    const LogIndex behind(loaded->segment->last_index().value + 1);
    Adopt(*std::move(loaded));
    if (!damaged_at) return next || behind > applied_ ? OkStatus() : TakeShort(candidate);
    return TakeDamaged(candidate, next,
                       Status::Error(ErrorCode::kCorruption,
                                     "{} at {}: entry {} was on disk and is damaged or gone",
                                     candidate.path, *damaged_at, behind));
  }

  void Adopt(LogSegment::Loaded loaded) {
    found().last = loaded.segment->last_index();
    survey_.outline.Add(loaded.outline);
    survey_.segments.push_back(std::move(loaded.segment));
  }

  // What lies behind the good records of `candidate`, all of them if its header is bad, is lost.
  Status TakeDamaged(const Candidate& candidate, std::optional<LogIndex> next,
                     const Status& damage) {
    if (found().damage.ok()) found().damage = damage;
    const bool all_applied = next && next->value <= applied_.value + 1;
    if (all_applied) {
      SkipTo(candidate, *next);
      return OkStatus();
    }
    found().cut_short = true;
    if (next) found().highest = std::max(found().highest, LogIndex(next->value - 1));
    return TakeTraces(candidate);
  }

  // The log ends before the state does. That may be a snapshot: then what lies behind the last good
  // record, of another life of the file perhaps, proves nothing. Whole records of this life do.
  Status TakeShort(const Candidate& candidate) {
    found().damage = Status::Error(ErrorCode::kCorruption,
                                   "{}: the log ends at {}, entries up to {} are applied",
                                   candidate.path, found().last, applied_);
    found().cut_short = true;
    ASSIGN_OR_RETURN(const std::string bytes, LoadSegmentBytes(files_, candidate.path));
    const LogIndex highest = HighestTrace(bytes, candidate.first, facts().hard_state.term,
                                          log_format::SegmentSeed(*candidate.header));
    found().highest = std::max(found().highest, highest);
    return OkStatus();
  }

  // The log may as well begin behind the damage: the state has what is before.
  void SkipTo(const Candidate& candidate, LogIndex next) {
    for (const auto& segment : survey_.segments) {
      if (segment->path() != candidate.path) survey_.leftovers.push_back(segment->path());
    }
    survey_.leftovers.push_back(candidate.path);
    survey_.segments.clear();
    survey_.outline = {};
    BeginAt(next);
  }

  Status TakeTraces(const Candidate& candidate) {
    ASSIGN_OR_RETURN(const std::string bytes, LoadSegmentBytes(files_, candidate.path));
    LogIndex highest = HighestTrace(bytes, candidate.first, facts().hard_state.term);
    // Without its header nothing vouches for a segment that looks empty.
    if (!candidate.header && highest < candidate.first) {
      highest = HighestPossible(bytes, candidate.first);
    }
    found().highest = std::max(found().highest, highest);
    const bool usable = !survey_.segments.empty() &&
                        survey_.segments.back()->path() == candidate.path;
    if (!usable) survey_.leftovers.push_back(candidate.path);
    return OkStatus();
  }

  FileSystem& files_;
  const std::string directory_;
  const LogIndex applied_;
  const size_t segment_bytes_;
  LogSurvey survey_;
};

}  // namespace

Result<LogSurvey> SurveyLog(FileSystem& files, const std::string& directory, LogIndex applied,
                            size_t segment_bytes) {
  return Surveyor(files, directory, applied, segment_bytes).Run();
}

std::string LogFactsPath(const std::string& directory) { return directory + "/facts"; }

std::string LogSparePath(const std::string& directory) {
  return directory + "/" + std::string(kSpareName);
}

}  // namespace cairn
