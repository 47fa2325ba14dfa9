#include "chunkserver/store/store_parts.h"

#include <sys/resource.h>

#include <algorithm>
#include <bit>

#include "common/logging.h"

namespace cairn {
namespace {

constexpr size_t kMaxCuts = 64;

}  // namespace

size_t OpenFileBudget(int wanted) {
  struct rlimit limit {};
  size_t budget = static_cast<size_t>(std::max(1, wanted));
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    budget = std::min<size_t>(budget, std::max<rlim_t>(1, limit.rlim_cur / 2));
  }
  return budget;
}

void ReportDamage(StoreParts& parts, ChunkId id, uint32_t block) {
  if (!parts.doubts.AddDamaged(id, block)) return;
  ++parts.checksum_errors;
  LOG_ERROR("block does not match its CRC chunk={} block={}", id, block);
}

Status CheckChunkId(ChunkId id) {
  if (id.inode.value != 0) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument, "chunk {} of no inode", id);
}

Status CheckChunkSize(uint32_t chunk_size) {
  if (std::has_single_bit(chunk_size) && chunk_size >= kMinChunkSize &&
      chunk_size <= kMaxChunkSize) {
    return OkStatus();
  }
  return Status::Error(ErrorCode::kInvalidArgument,
                       "chunk size {} is not a power of two from {} to {}", chunk_size,
                       kMinChunkSize, kMaxChunkSize);
}

Status CheckFileState(const FileState& file) {
  RETURN_IF_ERROR(CheckChunkSize(file.chunk_size));
  if (file.cuts.size() > kMaxCuts) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} cuts, at most {} are allowed",
                         file.cuts.size(), kMaxCuts);
  }
  const FileCut* before = nullptr;
  for (const FileCut& cut : file.cuts) {
    const bool grows =
        before == nullptr || (cut.generation > before->generation && cut.length >= before->length);
    if (!grows || cut.generation > file.generation) {
      return Status::Error(ErrorCode::kInvalidArgument, "cut {} at {} is out of order",
                           cut.generation, cut.length);
    }
    before = &cut;
  }
  return OkStatus();
}

Status CheckFits(ChunkId id, const ChunkRow& row, const FileState& file) {
  if (row.chunk_size != file.chunk_size) {
    return Status::Error(ErrorCode::kInvalidArgument, "chunk {} has size {}, not {}", id,
                         row.chunk_size, file.chunk_size);
  }
  if (row.stamp > file.generation) {
    return Status::Error(ErrorCode::kStaleGeneration,
                         "chunk {} is of generation {}, the caller knows {}", id, row.stamp,
                         file.generation);
  }
  return OkStatus();
}

}  // namespace cairn
