#include "client/reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "client/backoff.h"
#include "client/block_range.h"

namespace cairn::client {

Reader::Reader(ReaderOptions options, ChunkClient* chunks)
    : options_(options), chunks_(chunks),
      cached_bytes_(std::make_shared<std::atomic<uint64_t>>(0)),
      zeros_(Payload::Allocate(kWindowBytes)) {
  std::fill(zeros_.writable().begin(), zeros_.writable().end(), std::byte{0});
}

Result<std::vector<Payload>> Reader::Read(OpenFile& file, uint64_t offset, uint64_t length) {
  const InodeStatePtr& state = file.state;
  Deadline deadline = Deadline::After(options_.timeout);
  OpenFile::ReadAheadPlan ahead = file.PlanReadAhead(offset, length, options_.ahead_bytes);
  std::vector<Piece> pieces;
  std::vector<ReadAheadPtr> to_fetch;
  {
    absl::MutexLock lock(&state->mu);
    state->cache.Forget(ahead.forget_begin, ahead.forget_end);
    uint64_t size = state->Size();
    if (offset >= size) return std::vector<Payload>{};
    uint64_t end = offset + std::min(length, size - offset);
    pieces = PlanPieces(*state, offset, end);
    if (ahead.bytes > 0) to_fetch = PlanAhead(*state, end, std::min(size, end + ahead.bytes));
  }
  for (const ReadAheadPtr& entry : to_fetch) chunks_->ReadAhead(state, entry, deadline);
  std::vector<Payload> slices;
  slices.reserve(pieces.size());
  for (const Piece& piece : pieces) {
    ASSIGN_OR_RETURN(Payload bytes, ReadPiece(state, piece, deadline));
    slices.push_back(std::move(bytes));
  }
  return slices;
}

// What is held and what was read ahead are taken in one step: bytes that are acknowledged between
// the two would be missed by both.
std::vector<Reader::Piece> Reader::PlanPieces(InodeState& state, uint64_t offset, uint64_t end) {
  std::vector<Piece> pieces;
  while (offset < end) {
    Piece piece;
    piece.begin = offset;
    piece.end = std::min(end, (offset / kWindowBytes + 1) * kWindowBytes);
    piece.presence =
        state.PresenceOf(static_cast<uint32_t>(offset / state.file.layout().chunk_size()));
    piece.ahead = state.cache.Find(offset);
    piece.held = state.buffer.Overlap(piece.begin, piece.end - piece.begin);
    offset = piece.end;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::vector<ReadAheadPtr> Reader::PlanAhead(InodeState& state, uint64_t read_end,
                                            uint64_t ahead_end) {
  std::vector<ReadAheadPtr> planned;
  uint64_t blocks_end = BlockEnd(state.Size());
  std::optional<uint32_t> looked_at;
  bool locally = false;
  for (uint64_t begin = BlockEnd(read_end); begin < ahead_end;) {
    uint64_t end = std::min((begin / kWindowBytes + 1) * kWindowBytes, blocks_end);
    uint64_t length = end - begin;
    if (state.cache.bytes() + length > options_.file_cache_bytes ||
        cached_bytes_->load() + length > options_.total_cache_bytes) {
      break;
    }
    uint32_t index = static_cast<uint32_t>(begin / state.file.layout().chunk_size());
    if (index != looked_at) locally = chunks_->ReadsLocally(state, index);
    looked_at = index;
    bool useful = !locally && state.PresenceOf(index) == InodeState::Presence::kHolds &&
                  !state.cache.Covers(begin) && !state.buffer.Touches(begin, end);
    if (useful) {
      auto entry =
          std::make_shared<ReadAhead>(begin, static_cast<size_t>(length), cached_bytes_);
      state.cache.Add(entry);
      planned.push_back(std::move(entry));
    }
    begin = end;
  }
  return planned;
}

Result<Payload> Reader::ReadPiece(const InodeStatePtr& state, const Piece& piece,
                                  Deadline deadline) {
  size_t length = static_cast<size_t>(piece.end - piece.begin);
  if (!piece.held.empty()) {
    const WriteBuffer::Slice& top = piece.held.back();
    if (top.offset <= piece.begin && top.end() >= piece.end) {
      return top.bytes.Slice(static_cast<size_t>(piece.begin - top.offset), length);
    }
  }
  ASSIGN_OR_RETURN(Payload under, ReadUnderneath(state, piece, deadline));
  if (piece.held.empty()) return under;
  Payload merged = Payload::CopyOf(under.bytes());
  for (const WriteBuffer::Slice& slice : piece.held) {
    std::memcpy(merged.writable().data() + (slice.offset - piece.begin), slice.bytes.bytes().data(),
                slice.bytes.size());
  }
  return merged;
}

Result<Payload> Reader::ReadUnderneath(const InodeStatePtr& state, const Piece& piece,
                                       Deadline deadline) {
  size_t length = static_cast<size_t>(piece.end - piece.begin);
  if (piece.presence == InodeState::Presence::kHole) return zeros_.Slice(0, length);
  if (piece.ahead != nullptr) {
    Payload taken = TakeAhead(*piece.ahead, piece, deadline);
    if (!taken.empty()) return taken;
  }
  uint64_t begin = BlockStart(piece.begin);
  size_t whole = static_cast<size_t>(BlockEnd(piece.end) - begin);
  bool must_exist = piece.presence == InodeState::Presence::kHolds;
  ASSIGN_OR_RETURN(Payload bytes, chunks_->Read(state, begin, whole, must_exist, deadline));
  return bytes.Slice(static_cast<size_t>(piece.begin - begin), length);
}

Payload Reader::TakeAhead(ReadAhead& ahead, const Piece& piece, Deadline deadline) {
  uint64_t begin = BlockStart(piece.begin);
  uint64_t end = BlockEnd(piece.end);
  if (begin < ahead.offset || end > ahead.offset + ahead.length) return {};
  absl::MutexLock lock(&ahead.mu);
  auto done = [&]() ABSL_SHARED_LOCKS_REQUIRED(ahead.mu) { return ahead.done; };
  if (!AwaitUntil(ahead.mu, done, deadline) || !ahead.status.ok()) return {};
  size_t at = static_cast<size_t>(begin - ahead.offset);
  Payload bytes = ahead.payload.Slice(at, static_cast<size_t>(end - begin));
  std::vector<uint32_t> crcs = PieceCrcs(bytes.bytes(), 0);
  size_t first = at / kBlockSize;
  bool matches = ahead.crcs.size() >= first + crcs.size() &&
                 std::equal(crcs.begin(), crcs.end(),
                            ahead.crcs.begin() + static_cast<std::ptrdiff_t>(first));
  if (!matches) return {};
  return bytes.Slice(static_cast<size_t>(piece.begin - begin),
                     static_cast<size_t>(piece.end - piece.begin));
}

}  // namespace cairn::client
