#include "raft/storage/log_format.h"

#include <bit>
#include <cstring>

#include "common/crc32c.h"
#include "common/status.h"

namespace cairn::log_format {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");
static_assert(kMaxCommandBytes + 1 < (1u << kLengthBits));

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

constexpr size_t kHeaderCrcOffset = kSegmentHeaderBytes - sizeof(uint32_t);
constexpr uint32_t kLengthMask = (1u << kLengthBits) - 1;

EntryKind KindOf(uint32_t length_word) {
  return static_cast<EntryKind>(length_word >> kLengthBits);
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string out;
  Put(out, kMagic);
  Put(out, kVersion);
  Put(out, header.begins_log ? kBeginsLogFlag : 0u);
  Put(out, header.first_index.value);
  Put(out, header.incarnation.value);
  Put(out, header.serial);
  Put(out, Crc(out, 0));
  return out;
}

std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  const uint32_t crc = Crc(bytes.substr(0, kHeaderCrcOffset), 0);
  if (Get<uint32_t>(bytes, kHeaderCrcOffset) != crc) return std::nullopt;
  const auto flags = Get<uint32_t>(bytes, 12);
  if (Get<uint64_t>(bytes, 0) != kMagic || Get<uint32_t>(bytes, 8) != kVersion ||
      flags > kBeginsLogFlag) {
    return std::nullopt;
  }
  return SegmentHeader{LogIndex(Get<uint64_t>(bytes, 16)), Incarnation(Get<uint64_t>(bytes, 24)),
                       Get<uint32_t>(bytes, 32), flags == kBeginsLogFlag};
}

uint32_t SegmentSeed(const SegmentHeader& header) {
  return Get<uint32_t>(EncodeSegmentHeader(header), kHeaderCrcOffset);
}

size_t RecordBytes(size_t command_bytes) {
  size_t bytes = kRecordHeaderBytes + command_bytes;
  return (bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

void AppendRecord(const LogEntry& entry, LogIndex synced, uint32_t seed, std::string& out) {
  CAIRN_CHECK(entry.command.size() <= kMaxCommandBytes);
  size_t begin = out.size();
  Put(out, uint32_t{0});
  // One more than the command's length: zero is the end of the log.
  const auto length = static_cast<uint32_t>(entry.command.size() + 1);
  Put(out, static_cast<uint32_t>(entry.kind) << kLengthBits | length);
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
  const auto word = Get<uint32_t>(bytes, 4);
  const uint32_t length = word & kLengthMask;
  if (length == 0 || length - 1 > kMaxCommandBytes || KindOf(word) > EntryKind::kMembership) {
    return 0;
  }
  return kRecordHeaderBytes + length - 1;
}

std::optional<Record> PeekRecord(std::string_view bytes) {
  if (PeekRecordBytes(bytes) == 0) return std::nullopt;
  return Record{Term(Get<uint64_t>(bytes, 8)), LogIndex(Get<uint64_t>(bytes, 16)),
                LogIndex(Get<uint64_t>(bytes, 24)), KindOf(Get<uint32_t>(bytes, 4)), {}};
}

std::optional<Record> DecodeRecord(std::string_view bytes, uint32_t seed) {
  const size_t record_bytes = PeekRecordBytes(bytes);
  if (record_bytes == 0 || record_bytes > bytes.size()) return std::nullopt;
  std::optional<Record> record = PeekRecord(bytes);
  bytes = bytes.substr(0, record_bytes);
  const uint32_t crc = Crc(bytes.substr(sizeof(uint32_t)), seed);
  if (Get<uint32_t>(bytes, 0) != crc) return std::nullopt;
  record->command = bytes.substr(kRecordHeaderBytes);
  return record;
}

}  // namespace cairn::log_format
