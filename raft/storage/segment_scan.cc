#include "raft/storage/segment_scan.h"

#include <algorithm>
#include <string>

namespace cairn {

using log_format::kRecordAlignment;
using log_format::kRecordHeaderBytes;
using log_format::kSegmentHeaderBytes;
using log_format::Record;

namespace {

std::string_view From(std::string_view bytes, size_t at) {
  return at < bytes.size() ? bytes.substr(at) : std::string_view();
}

void Add(SegmentScan& scan, const Record& record) {
  LogEntry entry{record.term, record.index, {}, record.kind};
  if (record.kind == EntryKind::kMembership) entry.command = record.command;
  scan.outline.Add(entry);
  scan.offsets.push_back(static_cast<uint32_t>(scan.end));
  scan.end += log_format::RecordBytes(record.command.size());
}

// Does a good record behind `at` say that `index` was on disk before it was written?
bool ProvenSynced(std::string_view bytes, size_t at, LogIndex index, uint32_t seed) {
  const LogIndex highest = HighestPossible(bytes, index);
  for (; at + kRecordHeaderBytes <= bytes.size(); at += kRecordAlignment) {
    const LogIndex there = log_format::PeekIndex(bytes.substr(at));
    if (there <= index || there > highest) continue;
    const std::optional<Record> record = log_format::DecodeRecord(bytes.substr(at), seed);
    if (record && record->synced >= index) return true;
  }
  return false;
}

}  // namespace

SegmentScan ScanSegment(std::string_view bytes, const log_format::SegmentHeader& header,
                        const ScanLimits& limits) {
  SegmentScan scan;
  const uint32_t seed = log_format::SegmentSeed(header);
  LogIndex index = header.first_index;
  Term term = limits.previous_term;
  for (; index != limits.next; ++index.value) {
    const std::optional<Record> record = log_format::DecodeRecord(From(bytes, scan.end), seed);
    if (!record || record->index != index || record->synced >= index || record->term < term) break;
    Add(scan, *record);
    term = record->term;
  }
  if (index == limits.next) return scan;
  // A segment is made when all entries below its first one are on disk.
  scan.damaged = limits.next || index <= limits.synced ||
                 ProvenSynced(bytes, scan.end, index, seed);
  scan.torn = !scan.damaged && log_format::PeekIndex(From(bytes, scan.end)) == index;
  return scan;
}

LogIndex HighestPossible(std::string_view bytes, LogIndex first) {
  return LogIndex(first.value + bytes.size() / kRecordHeaderBytes);
}

LogIndex HighestTrace(std::string_view bytes, LogIndex first, Term newest_term,
                      std::optional<uint32_t> seed) {
  const LogIndex highest = HighestPossible(bytes, first);
  LogIndex found(first.value - 1);
  for (size_t at = kSegmentHeaderBytes; at < bytes.size(); at += kRecordAlignment) {
    const std::optional<Record> record = log_format::PeekRecord(bytes.substr(at));
    if (record && record->index >= first && record->index <= highest &&
        record->synced < record->index && record->term <= newest_term &&
        (!seed || log_format::DecodeRecord(bytes.substr(at), *seed))) {
      found = std::max(found, record->index);
    }
  }
  return found;
}

}  // namespace cairn
