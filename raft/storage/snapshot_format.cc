#include "raft/storage/snapshot_format.h"

#include <bit>
#include <cstring>

#include "common/crc32c.h"

namespace cairn::snapshot_format {

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

// The checksum of a block with this length word and these contents.
uint32_t Continue(Chain chain, uint32_t length, std::string_view contents) {
  const uint32_t crc = Crc32c(&length, sizeof(length), chain.crc);
  return Crc32c(contents.data(), contents.size(), crc);
}

tl::unexpected<Status> Bad(std::string_view what) {
  return Fail(ErrorCode::kCorruption, "{}", what);
}

// Walks the rows of a block; false: they do not fill it exactly.
bool ForEachRow(std::string_view rows, const OnRow& on_row, uint64_t& count) {
  while (rows.size() >= kRowHeaderBytes) {
    const size_t key_bytes = Get<uint32_t>(rows, 0);
    const size_t value_bytes = Get<uint32_t>(rows, 4);
    rows.remove_prefix(kRowHeaderBytes);
    if (key_bytes + value_bytes > rows.size()) return false;
    if (on_row) on_row(rows.substr(0, key_bytes), rows.substr(key_bytes, value_bytes));
    rows.remove_prefix(key_bytes + value_bytes);
    ++count;
  }
  return rows.empty();
}

Result<size_t> DecodeEnd(std::string_view bytes, Chain& chain, BlockCount& count) {
  if (bytes.size() < kEndBytes) return size_t{0};
  const std::string_view contents = bytes.substr(kBlockHeaderBytes, sizeof(uint64_t));
  if (Get<uint32_t>(bytes, 4) != Continue(chain, 0, contents)) return Bad("checksum of the end");
  if (Get<uint64_t>(contents, 0) != count.rows) return Bad("count of rows");
  chain.crc = Get<uint32_t>(bytes, 4);
  count.ended = true;
  return kEndBytes;
}

}  // namespace

std::string EncodeHead(const raft::SnapshotPoint& point, Chain& chain) {
  const std::string membership = raft::Encode(point.membership);
  CAIRN_CHECK(membership.size() <= kMaxMembershipBytes);
  std::string out;
  Put(out, kMagic);
  Put(out, kVersion);
  Put(out, static_cast<uint32_t>(membership.size()));
  Put(out, point.index.value);
  Put(out, point.term.value);
  out += membership;
  chain.crc = Crc32c(out.data(), out.size());
  Put(out, chain.crc);
  return out;
}

Result<size_t> DecodeHead(std::string_view bytes, raft::SnapshotPoint& point, Chain& chain) {
  constexpr size_t kBeforeMembership = kHeadBytes - sizeof(uint32_t);
  if (bytes.size() < kHeadBytes) return size_t{0};
  if (Get<uint64_t>(bytes, 0) != kMagic) return Bad("not a snapshot");
  if (const auto version = Get<uint32_t>(bytes, 8); version != kVersion) {
    return Fail(ErrorCode::kNotSupported, "a snapshot of format {}, this program knows format {}",
                version, kVersion);
  }
  const size_t membership_bytes = Get<uint32_t>(bytes, 12);
  if (membership_bytes > kMaxMembershipBytes) return Bad("length of the membership");
  if (bytes.size() < kHeadBytes + membership_bytes) return size_t{0};
  const size_t checked = kBeforeMembership + membership_bytes;
  const uint32_t crc = Crc32c(bytes.data(), checked);
  if (Get<uint32_t>(bytes, checked) != crc) return Bad("checksum of the head");
  point.index.value = Get<uint64_t>(bytes, 16);
  point.term.value = Get<uint64_t>(bytes, 24);
  ASSIGN_OR_RETURN(point.membership,
                   raft::DecodeMembership(bytes.substr(kBeforeMembership, membership_bytes)));
  chain.crc = crc;
  return kHeadBytes + membership_bytes;
}

void AppendRow(std::string_view key, std::string_view value, std::string& rows) {
  CAIRN_CHECK(key.size() + value.size() <= kMaxRowBytes);
  Put(rows, static_cast<uint32_t>(key.size()));
  Put(rows, static_cast<uint32_t>(value.size()));
  rows += key;
  rows += value;
}

void AppendBlock(std::string_view rows, Chain& chain, std::string& out) {
  CAIRN_CHECK(!rows.empty() && rows.size() <= kMaxBlockBytes);
  const auto length = static_cast<uint32_t>(rows.size());
  chain.crc = Continue(chain, length, rows);
  Put(out, length);
  Put(out, chain.crc);
  out += rows;
}

void AppendEnd(uint64_t row_count, Chain& chain, std::string& out) {
  std::string contents;
  Put(contents, row_count);
  chain.crc = Continue(chain, 0, contents);
  Put(out, uint32_t{0});
  Put(out, chain.crc);
  out += contents;
}

Result<size_t> DecodeBlock(std::string_view bytes, const OnRow& on_row, Chain& chain,
                           BlockCount& count) {
  if (bytes.size() < kBlockHeaderBytes) return size_t{0};
  const auto length = Get<uint32_t>(bytes, 0);
  if (length == 0) return DecodeEnd(bytes, chain, count);
  if (length > kMaxBlockBytes) return Bad("length of a block");
  if (bytes.size() < kBlockHeaderBytes + length) return size_t{0};
  const std::string_view rows = bytes.substr(kBlockHeaderBytes, length);
  const auto crc = Get<uint32_t>(bytes, 4);
  if (crc != Continue(chain, length, rows)) return Bad("checksum of a block");
  chain.crc = crc;
  // Twice, so that nobody is given rows of a block that does not parse.
  uint64_t found = 0;
  if (!ForEachRow(rows, nullptr, found)) return Bad("rows of a block");
  count.rows += found;
  if (on_row) ForEachRow(rows, on_row, found);
  return kBlockHeaderBytes + length;
}

}  // namespace cairn::snapshot_format
