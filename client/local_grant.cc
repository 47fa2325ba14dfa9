#include "client/local_grant.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "common/crc32c.h"

namespace cairn::client {
namespace {

// As many bytes as the file has; false: it cannot be read.
bool ReadFully(int file, uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = pread(file, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  std::fill(out.begin(), out.end(), std::byte{0});
  return true;
}

}  // namespace

Result<LocalGrantPtr> LocalGrant::Make(LocalDoorPtr door, const v1::ChunkAddress& asked,
                                       LocalDoor::Opened opened) {
  const v1::OpenChunkResponse& answer = opened.answer;
  const auto blocks = static_cast<size_t>(answer.crcs_size());
  if (answer.chunk_size() != asked.chunk_size() || blocks > asked.chunk_size() / kBlockSize ||
      answer.present().size() != (blocks + 7) / 8) {
    return Fail(ErrorCode::kCorruption, "an answer about a local read does not fit its chunk");
  }
  std::shared_ptr<LocalGrant> grant(new LocalGrant());
  grant->door_ = std::move(door);
  grant->file_ = std::move(opened.file);
  grant->id_ = {InodeId(asked.inode()), asked.index()};
  grant->group_ = PgId(asked.group());
  grant->epoch_ = asked.epoch();
  grant->generation_ = asked.generation();
  grant->chunk_change_ = answer.chunk_change();
  grant->group_change_ = answer.group_change();
  grant->crcs_.assign(answer.crcs().begin(), answer.crcs().end());
  grant->present_ = answer.present();
  return LocalGrantPtr(std::move(grant));
}

bool LocalGrant::Fits(const v1::ChunkAddress& chunk) const {
  return PgId(chunk.group()) == group_ && chunk.epoch() == epoch_ &&
         chunk.generation() == generation_;
}

bool LocalGrant::Unchanged() const {
  const LocalPageView& page = *door_->page();
  return page.ChunkChange(id_) == chunk_change_ && page.GroupChange(group_) == group_change_;
}

bool LocalGrant::IsPresent(size_t block) const {
  if (block >= crcs_.size()) return false;
  return ((static_cast<unsigned char>(present_[block / 8]) >> (block % 8)) & 1) != 0;
}

// False: a block does not match, or the file cannot be read.
bool LocalGrant::FillBlocks(uint32_t offset, std::span<std::byte> out) const {
  if (!ReadFully(file_.get(), offset, out)) return false;
  for (size_t at = 0; at < out.size(); at += kBlockSize) {
    const size_t block = (offset + at) / kBlockSize;
    const std::span<std::byte> bytes = out.subspan(at, kBlockSize);
    if (!IsPresent(block)) {
      std::fill(bytes.begin(), bytes.end(), std::byte{0});
    } else if (Crc32c(bytes) != crcs_[block]) {
      return false;
    }
  }
  return true;
}

LocalGrant::Read LocalGrant::ReadBlocks(const Clock& clock, uint32_t offset,
                                        uint32_t length) const {
  if (!Unchanged()) return {Outcome::kChanged, {}};
  Payload bytes = Payload::Allocate(length);
  const bool matches = FillBlocks(offset, bytes.writable());
  // A byte of a later change is only seen after that change has begun. This look finds it (rule C8)
  // without leaving it to the 32 bits of a CRC, and tells it from damage. And nobody else was the
  // primary when the bytes were read, if the lease held then (rule C1): it is looked at first, for
  // one that came anew after others had served came after the news of them.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool lease_held = door_->page()->LeaseHolds(clock.Now());
  if (!Unchanged()) return {Outcome::kChanged, {}};
  if (!lease_held || !door_->IsOpen()) return {Outcome::kEnded, {}};
  if (!matches) return {Outcome::kDamaged, {}};
  return {Outcome::kBelieved, std::move(bytes)};
}

}  // namespace cairn::client
