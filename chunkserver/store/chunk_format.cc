#include "chunkserver/store/chunk_format.h"

#include <bit>
#include <charconv>

#include "common/crc32c.h"
#include "common/hash.h"

namespace cairn {
namespace {

constexpr size_t kIdBytes = 12;
constexpr uint8_t kSealedFlag = 1;
constexpr uint8_t kUnderWayFlag = 1, kOrderedFlag = 2;

template <typename Integer>
void PutBig(std::string& out, Integer value) {
  for (size_t i = sizeof(Integer); i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
}

template <typename Integer>
Integer GetBig(std::string_view in) {
  Integer value = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(value << 8 | static_cast<uint8_t>(in[i]));
  }
  return value;
}

template <typename Integer>
void PutLittle(std::string& out, Integer value) {
  for (size_t i = 0; i < sizeof(Integer); ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// Takes integers from the front of a value whose length the caller has checked.
class Taker {
 public:
  explicit Taker(std::string_view in) : in_(in) {}
  template <typename Integer>
  Integer Take() {
    Integer value = 0;
    for (size_t i = sizeof(Integer); i-- > 0;) {
      value = static_cast<Integer>(value << 8 | static_cast<uint8_t>(in_[i]));
    }
    in_.remove_prefix(sizeof(Integer));
    return value;
  }

 private:
  std::string_view in_;
};

std::string IdKey(char kind, ChunkId id) {
  std::string key(1, kind);
  PutBig(key, id.inode.value);
  PutBig(key, id.index);
  return key;
}

uint32_t RowCrc(std::string_view key, std::string_view value) {
  return Crc32c(value.data(), value.size(), Crc32c(key.data(), key.size()));
}

void Close(std::string_view key, std::string& value) {
  PutLittle(value, RowCrc(key, value));
}

// The value without its CRC and its format byte.
Result<std::string_view> OpenRow(std::string_view key, std::string_view value, size_t least) {
  constexpr size_t kFrame = 1 + sizeof(uint32_t);
  if (value.size() < kFrame + least) return Fail(ErrorCode::kCorruption, "index row is too short");
  std::string_view body = value.substr(0, value.size() - sizeof(uint32_t));
  if (Taker(value.substr(body.size())).Take<uint32_t>() != RowCrc(key, body)) {
    return Fail(ErrorCode::kCorruption, "index row does not match its CRC");
  }
  if (body[0] != kChunkStoreFormat) {
    return Fail(ErrorCode::kNotSupported, "index row of unknown format {}", int{body[0]});
  }
  return body.substr(1);
}

}  // namespace

void CrcRow::Set(uint32_t bit, uint32_t crc) {
  present |= uint64_t{1} << bit;
  crcs[bit] = crc;
}

void CrcRow::Clear(uint32_t bit) {
  present &= ~(uint64_t{1} << bit);
  crcs[bit] = 0;
}

std::string FormatKey() {
  return "f";
}
std::string ScrubMarkKey() {
  return "s";
}
std::string ChunkPrefix() {
  return "c";
}
std::string ChunkKey(ChunkId id) {
  return IdKey('c', id);
}
std::string UnsealedPrefix() {
  return "u";
}
std::string UnsealedKey(ChunkId id) {
  return IdKey('u', id);
}
std::string CrcPrefix(ChunkId id) {
  return IdKey('r', id);
}

std::string GroupPrefix(PgId group) {
  std::string key = "g";
  PutBig(key, group.value);
  return key;
}

std::string GroupKey(PgId group, ChunkId id) {
  std::string key = GroupPrefix(group);
  PutBig(key, id.inode.value);
  PutBig(key, id.index);
  return key;
}

std::string CrcKey(ChunkId id, uint32_t row) {
  std::string key = CrcPrefix(id);
  PutBig(key, static_cast<uint16_t>(row));
  return key;
}

Result<ChunkId> ChunkIdOfKey(std::string_view key) {
  if (key.size() < 1 + kIdBytes) return Fail(ErrorCode::kCorruption, "index key is too short");
  key.remove_prefix(key.size() - kIdBytes);
  return ChunkId{InodeId(GetBig<uint64_t>(key)), GetBig<uint32_t>(key.substr(8))};
}

Result<uint32_t> RowOfCrcKey(std::string_view key) {
  if (key.size() != 1 + kIdBytes + 2) return Fail(ErrorCode::kCorruption, "bad CRC row key");
  uint32_t row = GetBig<uint16_t>(key.substr(1 + kIdBytes));
  if (row >= kMaxRowsPerChunk) return Fail(ErrorCode::kCorruption, "CRC row {} too high", row);
  return row;
}

std::string EncodeChunkRow(std::string_view key, const ChunkRow& row) {
  std::string out(1, kChunkStoreFormat);
  out.push_back(static_cast<char>(row.sealed ? kSealedFlag : 0));
  PutLittle(out, row.group.value);
  PutLittle(out, row.chunk_size);
  PutLittle(out, row.version.epoch.value);
  PutLittle(out, row.version.counter);
  PutLittle(out, row.stamp);
  PutLittle(out, row.last_session.value);
  PutLittle(out, row.last_sequence);
  PutLittle(out, row.sealed ? row.digest : 0u);
  PutLittle(out, row.present_blocks);
  Close(key, out);
  return out;
}

Result<ChunkRow> DecodeChunkRow(std::string_view key, std::string_view value) {
  constexpr size_t kBody = 1 + 4 + 4 + 5 * 8 + 4 + 4;
  ASSIGN_OR_RETURN(std::string_view body, OpenRow(key, value, kBody));
  if (body.size() != kBody) return Fail(ErrorCode::kCorruption, "chunk row of wrong length");
  Taker in(body);
  ChunkRow row;
  row.sealed = (in.Take<uint8_t>() & kSealedFlag) != 0;
  row.group = PgId(in.Take<uint32_t>());
  row.chunk_size = in.Take<uint32_t>();
  row.version.epoch = Epoch(in.Take<uint64_t>());
  row.version.counter = in.Take<uint64_t>();
  row.stamp = in.Take<uint64_t>();
  row.last_session = SessionId(in.Take<uint64_t>());
  row.last_sequence = in.Take<uint64_t>();
  row.digest = in.Take<uint32_t>();
  row.present_blocks = in.Take<uint32_t>();
  if (!std::has_single_bit(row.chunk_size) || row.chunk_size < kMinChunkSize ||
      row.chunk_size > kMaxChunkSize) {
    return Fail(ErrorCode::kCorruption, "chunk row with chunk size {}", row.chunk_size);
  }
  return row;
}

std::string EncodeCrcRow(std::string_view key, const CrcRow& row) {
  std::string out(1, kChunkStoreFormat);
  out.reserve(1 + 8 + 4 * kBlocksPerRow + 4);
  PutLittle(out, row.present);
  for (uint32_t i = 0; i < kBlocksPerRow; ++i) {
    if (row.Has(i)) PutLittle(out, row.crcs[i]);
  }
  Close(key, out);
  return out;
}

Result<CrcRow> DecodeCrcRow(std::string_view key, std::string_view value) {
  ASSIGN_OR_RETURN(std::string_view body, OpenRow(key, value, sizeof(uint64_t)));
  Taker in(body);
  uint64_t present = in.Take<uint64_t>();
  if (body.size() != 8 + 4 * static_cast<size_t>(std::popcount(present))) {
    return Fail(ErrorCode::kCorruption, "CRC row of wrong length");
  }
  CrcRow row;
  for (uint32_t i = 0; i < kBlocksPerRow; ++i) {
    if ((present >> i & 1) != 0) row.Set(i, in.Take<uint32_t>());
  }
  return row;
}

std::string EncodeScrubMark(std::string_view key, const ScrubMark& mark) {
  std::string out(1, kChunkStoreFormat);
  out.push_back(
      static_cast<char>((mark.under_way ? kUnderWayFlag : 0) | (mark.ordered ? kOrderedFlag : 0)));
  PutLittle(out, mark.order);
  PutLittle(out, mark.started_s);
  PutLittle(out, mark.whole_s);
  PutLittle(out, mark.group.value);
  PutLittle(out, mark.after.inode.value);
  PutLittle(out, mark.after.index);
  Close(key, out);
  return out;
}

Result<ScrubMark> DecodeScrubMark(std::string_view key, std::string_view value) {
  constexpr size_t kBody = 1 + 3 * 8 + 4 + kIdBytes;
  ASSIGN_OR_RETURN(std::string_view body, OpenRow(key, value, kBody));
  if (body.size() != kBody) return Fail(ErrorCode::kCorruption, "scrub mark of wrong length");
  Taker in(body);
  ScrubMark mark;
  const auto flags = in.Take<uint8_t>();
  mark.under_way = (flags & kUnderWayFlag) != 0;
  mark.ordered = (flags & kOrderedFlag) != 0;
  mark.order = in.Take<uint64_t>();
  mark.started_s = in.Take<int64_t>();
  mark.whole_s = in.Take<int64_t>();
  mark.group = PgId(in.Take<uint32_t>());
  mark.after.inode = InodeId(in.Take<uint64_t>());
  mark.after.index = in.Take<uint32_t>();
  return mark;
}

uint32_t ExtendDigest(uint32_t digest, uint32_t row_number, const CrcRow& row) {
  if (row.present == 0) return digest;
  std::string bytes;
  PutLittle(bytes, row_number);
  PutLittle(bytes, row.present);
  for (uint32_t crc : row.crcs) PutLittle(bytes, crc);
  return Crc32c(bytes.data(), bytes.size(), digest);
}

std::string ChunkFolder(uint32_t folder) {
  return fmt::format("chunks/{:02x}", folder);
}

uint32_t ChunkFolderNumber(ChunkId id) {
  return static_cast<uint32_t>(MixBits(MixBits(id.inode.value) + id.index) % kChunkFolders);
}

std::string ChunkFolder(ChunkId id) {
  return ChunkFolder(ChunkFolderNumber(id));
}

std::string ChunkFileName(ChunkId id) {
  return fmt::format("{:016x}-{:08x}", id.inode.value, id.index);
}

std::optional<ChunkId> ParseChunkFileName(std::string_view name) {
  constexpr size_t kInodeDigits = 16, kIndexDigits = 8;
  if (name.size() != kInodeDigits + 1 + kIndexDigits || name[kInodeDigits] != '-') return {};
  ChunkId id;
  const char* dash = name.data() + kInodeDigits;
  auto inode = std::from_chars(name.data(), dash, id.inode.value, 16);
  auto index = std::from_chars(dash + 1, name.data() + name.size(), id.index, 16);
  if (inode.ptr != dash || index.ptr != name.data() + name.size()) return {};
  if (ChunkFileName(id) != name) return {};
  return id;
}

std::string AsideFileName(const AsideFile& file) {
  return fmt::format("{}-{}", ChunkFileName(file.id), file.seconds);
}

std::optional<AsideFile> ParseAsideFileName(std::string_view name) {
  const size_t dash = ChunkFileName(ChunkId()).size();
  if (name.size() <= dash + 1) return {};
  const std::optional<ChunkId> id = ParseChunkFileName(name.substr(0, dash));
  if (!id) return {};
  AsideFile file{*id, 0};
  const char* end = name.data() + name.size();
  if (std::from_chars(name.data() + dash + 1, end, file.seconds).ptr != end) return {};
  if (file.seconds < 0 || AsideFileName(file) != name) return {};
  return file;
}

}  // namespace cairn
