#include "common/leveldb_log.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/crc32c.h"

namespace cairn {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

namespace {

// leveldb/doc/log_format.md
constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
enum FragmentType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

// Tags of leveldb/db/version_edit.cc, which are on disk and therefore fixed.
enum ManifestTag : uint64_t {
  kComparator = 1,
  kLogNumber = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kCompactPointer = 5,
  kDeletedFile = 6,
  kNewFile = 7,
  kPrevLogNumber = 9,
};

template <typename Integer>
Integer ReadFixed(std::string_view bytes) {
  Integer value{};
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

uint32_t Unmask(uint32_t masked) {
  uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

bool TakeVarint(std::string_view& bytes, uint64_t& out) {
  out = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    out |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool SkipVarints(std::string_view& bytes, int count) {
  uint64_t ignored = 0;
  for (int i = 0; i < count; ++i) {
    if (!TakeVarint(bytes, ignored)) return false;
  }
  return true;
}

bool SkipStrings(std::string_view& bytes, int count) {
  for (int i = 0; i < count; ++i) {
    uint64_t length = 0;
    if (!TakeVarint(bytes, length) || length > bytes.size()) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

bool SkipField(uint64_t tag, std::string_view& edit) {
  switch (tag) {
    case kComparator: return SkipStrings(edit, 1);
    case kNextFileNumber:
    case kLastSequence:
    case kPrevLogNumber: return SkipVarints(edit, 1);
    case kCompactPointer: return SkipVarints(edit, 1) && SkipStrings(edit, 1);
    case kDeletedFile: return SkipVarints(edit, 2);
    case kNewFile: return SkipVarints(edit, 3) && SkipStrings(edit, 2);
    default: return false;
  }
}

bool ReadEdit(std::string_view edit, std::optional<uint64_t>& log_number) {
  while (!edit.empty()) {
    uint64_t tag = 0;
    uint64_t number = 0;
    if (!TakeVarint(edit, tag)) return false;
    if (tag != kLogNumber) {
      if (!SkipField(tag, edit)) return false;
      continue;
    }
    if (!TakeVarint(edit, number)) return false;
    log_number = number;
  }
  return true;
}

}  // namespace

std::optional<LevelDbLogReader::Fragment> LevelDbLogReader::NextFragment() {
  size_t left_in_block = kBlockBytes - at_ % kBlockBytes;
  if (left_in_block < kHeaderBytes) at_ += left_in_block;  // the block's trailer
  if (at_ > bytes_.size() || bytes_.size() - at_ < kHeaderBytes) return std::nullopt;
  std::string_view header = bytes_.substr(at_, kHeaderBytes);
  auto length = ReadFixed<uint16_t>(header.substr(4));
  size_t room = std::min(kBlockBytes - at_ % kBlockBytes, bytes_.size() - at_) - kHeaderBytes;
  if (length > room) return std::nullopt;
  std::string_view typed = bytes_.substr(at_ + kHeaderBytes - 1, 1u + length);
  auto type = static_cast<uint8_t>(typed[0]);
  if (type < kFull || type > kLast) return std::nullopt;
  if (Unmask(ReadFixed<uint32_t>(header)) != Crc32c(typed.data(), typed.size())) {
    return std::nullopt;
  }
  at_ += kHeaderBytes + length;
  return Fragment{type, typed.substr(1)};
}

bool LevelDbLogReader::AnotherRecordBegins() const {
  LevelDbLogReader probe(bytes_);
  for (size_t at = good_bytes_; at + kHeaderBytes <= bytes_.size(); ++at) {
    probe.at_ = at;
    const std::optional<Fragment> fragment = probe.NextFragment();
    if (fragment && (fragment->type == kFull || fragment->type == kFirst)) return true;
  }
  return false;
}

std::optional<std::string> LevelDbLogReader::Next() {
  std::string record;
  for (bool inside = false;; inside = true) {
    std::optional<Fragment> fragment = NextFragment();
    if (!fragment) return std::nullopt;
    bool begins = fragment->type == kFull || fragment->type == kFirst;
    if (begins == inside) return std::nullopt;
    record.append(fragment->data);
    if (fragment->type == kFull || fragment->type == kLast) break;
  }
  good_bytes_ = at_;
  return record;
}

std::optional<uint64_t> ManifestLogNumber(std::string_view manifest) {
  std::optional<uint64_t> log_number;
  LevelDbLogReader reader(manifest);
  while (std::optional<std::string> edit = reader.Next()) {
    if (!ReadEdit(*edit, log_number)) return std::nullopt;
  }
  return log_number;
}

std::optional<BatchRange> ReadBatchRange(std::string_view record) {
  constexpr size_t kBatchHeaderBytes = 12;
  if (record.size() < kBatchHeaderBytes) return std::nullopt;
  return BatchRange{ReadFixed<uint64_t>(record), ReadFixed<uint32_t>(record.substr(8))};
}

}  // namespace cairn
