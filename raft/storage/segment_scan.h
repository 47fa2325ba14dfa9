// Reads the bytes of a segment file: which records are good, and whether what follows the last good
// one is a torn tail or damage (rule M5). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "raft/storage/log_format.h"
#include "raft/storage/log_outline.h"

namespace cairn {

// What is known from elsewhere about the records of a segment.
struct ScanLimits {
  std::optional<LogIndex> next;  // first index of the segment behind this one: entries end there
  LogIndex synced;               // entries up to here were on disk
  Term previous_term;            // of the entry before the first; terms never fall
};

struct SegmentScan {
  std::vector<uint32_t> offsets;  // of the good records, in order
  size_t end = log_format::kSegmentHeaderBytes;  // behind the last one
  LogOutline outline;
  // The entry that should begin at `end` was on disk and is bad.
  bool damaged = false;
  // There is a beginning of that entry, which never was on disk as a whole.
  bool torn = false;
};

// `header` is the one at the beginning of `bytes`.
SegmentScan ScanSegment(std::string_view bytes, const log_format::SegmentHeader& header,
                        const ScanLimits& limits);

// The highest index that anything in the bytes of a damaged segment looks like having, checksums
// aside: what was once there, as far as it can still be known. `first` - 1: nothing does. No entry
// has a term above `newest_term`. With a seed only records of that life of the file count, whole.
LogIndex HighestTrace(std::string_view bytes, LogIndex first, Term newest_term,
                      std::optional<uint32_t> seed = std::nullopt);
// No entry of a segment of so many bytes has an index above this.
LogIndex HighestPossible(std::string_view bytes, LogIndex first);

}  // namespace cairn
