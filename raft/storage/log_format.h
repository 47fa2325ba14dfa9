// The bytes of a log segment (docs/formats/raft_log.md). All integers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "raft/core/log_entry.h"

namespace cairn::log_format {

inline constexpr uint64_t kMagic = 0x31474f4c4e524143u;  // "CARNLOG1"
inline constexpr uint32_t kVersion = 2;
inline constexpr uint32_t kBeginsLogFlag = 1;  // no other bit of the flags is known
inline constexpr size_t kSegmentHeaderBytes = 40;
inline constexpr size_t kRecordHeaderBytes = 32;
inline constexpr size_t kRecordAlignment = 8;  // records begin at multiples of this
inline constexpr size_t kMaxCommandBytes = 7u << 19;  // 3.5 MiB: with its message it fits a frame
inline constexpr uint32_t kLengthBits = 24;  // of a record's length word; the kind is above

// Tells one life of a segment file from every other: files are recycled.
struct SegmentHeader {
  LogIndex first_index;
  Incarnation incarnation;  // the start of the server that made this segment
  uint32_t serial = 0;      // numbers the segments of that start
  bool begins_log = false;  // no segment that is older belongs to the log any more

  bool IsNewerThan(const SegmentHeader& other) const {
    return incarnation == other.incarnation ? serial > other.serial
                                            : incarnation > other.incarnation;
  }
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

std::string EncodeSegmentHeader(const SegmentHeader& header);
std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

// What every record's checksum begins with, so that records of another life do not match.
uint32_t SegmentSeed(const SegmentHeader& header);

struct Record {
  Term term;
  LogIndex index;
  LogIndex synced;  // everything up to here was on disk before this record was written
  EntryKind kind = EntryKind::kCommand;
  std::string_view command;
};

// With padding up to the next multiple of kRecordAlignment.
size_t RecordBytes(size_t command_bytes);
// REQUIRES: the command has at most kMaxCommandBytes.
void AppendRecord(const LogEntry& entry, LogIndex synced, uint32_t seed, std::string& out);
// The index that a record here would have, unchecked: a cheap look before DecodeRecord.
LogIndex PeekIndex(std::string_view bytes);
// How many bytes that record would have, without padding; 0 for a length or kind no record has.
size_t PeekRecordBytes(std::string_view bytes);
// The record that `bytes` begin with; nothing when there is none or it is damaged.
std::optional<Record> DecodeRecord(std::string_view bytes, uint32_t seed);
// The fields that a record here would have, whether or not its checksum matches or all of it is
// there; nothing when no record looks like that.
std::optional<Record> PeekRecord(std::string_view bytes);

}  // namespace cairn::log_format
