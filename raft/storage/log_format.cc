#include "raft/storage/log_format.h"

#include <bit>
#include <cstring>

#include "common/crc32c.h"

namespace cairn::log_format {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

namespace {

template <typename Integer>
void Put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Integer>
Integer Get(std::string_view bytes, size_t offset) {
  Integer value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

uint32_t Crc(std::string_view bytes, uint32_t seed) {
  return Crc32c(bytes.data(), bytes.size(), seed);
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string out;
  Put(out, kMagic);
  Put(out, kVersion);
  Put(out, header.first_index.value);
  Put(out, header.incarnation.value);
  Put(out, Crc(out, 0));
  return out;
}

std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  constexpr size_t kChecked = kSegmentHeaderBytes - sizeof(uint32_t);
  if (Get<uint32_t>(bytes, kChecked) != Crc(bytes.substr(0, kChecked), 0)) return std::nullopt;
  if (Get<uint64_t>(bytes, 0) != kMagic || Get<uint32_t>(bytes, 8) != kVersion) {
    return std::nullopt;
  }
  return SegmentHeader{LogIndex(Get<uint64_t>(bytes, 12)), Incarnation(Get<uint64_t>(bytes, 20))};
}

uint32_t SegmentSeed(const SegmentHeader& header) {
  return Get<uint32_t>(EncodeSegmentHeader(header), kSegmentHeaderBytes - sizeof(uint32_t));
}

size_t RecordBytes(size_t command_bytes) {
  size_t bytes = kRecordHeaderBytes + command_bytes;
  return (bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

void AppendRecord(const LogEntry& entry, LogIndex synced, uint32_t seed, std::string& out) {
  size_t begin = out.size();
  Put(out, uint32_t{0});
  Put(out, static_cast<uint32_t>(entry.command.size()) + 1);
  Put(out, entry.term.value);
  Put(out, entry.index.value);
  Put(out, synced.value);
  out += entry.command;
  uint32_t crc = Crc(std::string_view(out).substr(begin + sizeof(uint32_t)), seed);
  std::memcpy(out.data() + begin, &crc, sizeof(crc));
  out.resize(begin + RecordBytes(entry.command.size()), '\0');
}

LogIndex PeekIndex(std::string_view bytes) {
  return LogIndex(bytes.size() < kRecordHeaderBytes ? 0 : Get<uint64_t>(bytes, 16));
}

size_t PeekRecordBytes(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes) return 0;
  // The stored length is one more than the command's: zero is the end of the log.
  auto length = Get<uint32_t>(bytes, 4);
  if (length == 0 || length - 1 > kMaxCommandBytes) return 0;
  return kRecordHeaderBytes + length - 1;
}

std::optional<Record> DecodeRecord(std::string_view bytes, uint32_t seed) {
  size_t record_bytes = PeekRecordBytes(bytes);
  if (record_bytes == 0 || record_bytes > bytes.size()) return std::nullopt;
  std::string_view record = bytes.substr(0, record_bytes);
  if (Get<uint32_t>(record, 0) != Crc(record.substr(sizeof(uint32_t)), seed)) return std::nullopt;
  return Record{Term(Get<uint64_t>(record, 8)), LogIndex(Get<uint64_t>(record, 16)),
                LogIndex(Get<uint64_t>(record, 24)), record.substr(kRecordHeaderBytes)};
}

}  // namespace cairn::log_format
