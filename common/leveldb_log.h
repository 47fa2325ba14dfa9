// Reads LevelDB's own log format (32 KiB blocks, records {masked crc32c, length, type}) as strictly
// as rule M2 asks: LevelDB's reader skips what is bad and goes on, this one stops there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

// Walks the logical records of one log held in memory. Thread-compatible.
class LevelDbLogReader {
 public:
  // `bytes` must outlive the reader.
  explicit LevelDbLogReader(std::string_view bytes) : bytes_(bytes) {}

  // The next whole record; nothing at the end and at the first bad, zero or incomplete record.
  std::optional<std::string> Next();

  // Where the last record that Next() gave ends.
  size_t good_bytes() const { return good_bytes_; }
  bool at_end() const { return good_bytes_ == bytes_.size(); }
  // Whether a good record begins anywhere behind that, at whatever offset: then what lies between
  // is damage, and not a record that was being written last.
  bool AnotherRecordBegins() const;

 private:
  struct Fragment {
    uint8_t type;
    std::string_view data;
  };
  std::optional<Fragment> NextFragment();

  std::string_view bytes_;
  size_t at_ = 0;
  size_t good_bytes_ = 0;
};

// The write-ahead log from which recovery starts, as the newest record of a manifest says it. Older
// logs are in tables already. Nothing when the manifest cannot be read to its end.
std::optional<uint64_t> ManifestLogNumber(std::string_view manifest);

// The sequence number of the first change in a write-ahead log record, and how many it holds.
struct BatchRange {
  uint64_t sequence = 0;
  uint32_t count = 0;
};
std::optional<BatchRange> ReadBatchRange(std::string_view record);

}  // namespace cairn
