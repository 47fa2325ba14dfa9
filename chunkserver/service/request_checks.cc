#include "chunkserver/service/request_checks.h"

#include <bit>

#include "common/ids.h"
#include "rpc/chunk_token.h"

namespace cairn {
namespace {

constexpr int kMaxCuts = 64;
constexpr int kMaxChunksPerRequest = 10000;
constexpr uint32_t kMaxBlocks = kMaxChunkSize / kBlockSize;
constexpr uint32_t kMaxTransferBlocks = kMaxTransferBytes / kBlockSize;

template <typename... Args>
Status Invalid(fmt::format_string<Args...> format, Args&&... args) {
  return Status::Error(ErrorCode::kInvalidArgument, format, std::forward<Args>(args)...);
}

Status CheckChunkSize(uint32_t size) {
  if (std::has_single_bit(size) && size >= kMinChunkSize && size <= kMaxChunkSize) {
    return OkStatus();
  }
  return Invalid("chunk size {} is not a power of two from {} to {}", size, kMinChunkSize,
                 kMaxChunkSize);
}

Status CheckInside(const v1::ChunkAddress& chunk, uint32_t offset, uint64_t length) {
  if (length == 0) return Invalid("no bytes");
  if (length > kMaxTransferBytes) {
    return Status::Error(ErrorCode::kTooLarge, "{} bytes, at most {} are moved at once", length,
                         kMaxTransferBytes);
  }
  if (offset + length > chunk.chunk_size()) {
    return Invalid("bytes {} + {} are outside of a chunk of {}", offset, length,
                   chunk.chunk_size());
  }
  return OkStatus();
}

template <typename Request>
Status CheckChunks(const Request& request) {
  if (request.chunks_size() > kMaxChunksPerRequest) {
    return Status::Error(ErrorCode::kTooLarge, "{} chunks, at most {}", request.chunks_size(),
                         kMaxChunksPerRequest);
  }
  for (const v1::ChunkAddress& chunk : request.chunks()) RETURN_IF_ERROR(CheckRequest(chunk));
  return OkStatus();
}

}  // namespace

Status CheckRequest(const v1::ChunkAddress& address) {
  if (address.inode() == 0) return Invalid("a chunk of no inode");
  RETURN_IF_ERROR(CheckChunkSize(address.chunk_size()));
  if (address.token().size() > kMaxTokenBytes) {
    return Status::Error(ErrorCode::kTooLarge, "a token of {} bytes", address.token().size());
  }
  if (address.cuts_size() > kMaxCuts) {
    return Status::Error(ErrorCode::kTooLarge, "{} cuts, at most {}", address.cuts_size(),
                         kMaxCuts);
  }
  return OkStatus();
}

Status CheckRequest(const v1::ReadChunkRequest& request) {
  RETURN_IF_ERROR(CheckRequest(request.chunk()));
  if (request.offset() % kBlockSize != 0 || request.length() % kBlockSize != 0) {
    return Invalid("a read of {} bytes at {} is not of whole blocks", request.length(),
                   request.offset());
  }
  return CheckInside(request.chunk(), request.offset(), request.length());
}

Status CheckRequest(const v1::WriteChunkRequest& request, const Payload& payload) {
  RETURN_IF_ERROR(CheckRequest(request.chunk()));
  RETURN_IF_ERROR(CheckInside(request.chunk(), request.offset(), payload.size()));
  const uint64_t end = request.offset() + payload.size();
  const uint64_t pieces = (end + kBlockSize - 1) / kBlockSize - request.offset() / kBlockSize;
  if (static_cast<uint64_t>(request.crcs_size()) != pieces) {
    return Invalid("{} CRCs for {} pieces", request.crcs_size(), pieces);
  }
  return OkStatus();
}

Status CheckRequest(const v1::ReplicateRequest& request, const Payload& payload) {
  if (request.version_counter() == 0) return Invalid("a replicated write without a version");
  return CheckRequest(request.write(), payload);
}

Status CheckRequest(const v1::SyncChunksRequest& request) {
  RETURN_IF_ERROR(CheckChunks(request));
  if (request.oldest_write_epochs_size() == request.chunks_size()) return OkStatus();
  return Invalid("{} epochs of oldest writes for {} chunks", request.oldest_write_epochs_size(),
                 request.chunks_size());
}

Status CheckReplicaRequest(const v1::SyncChunksRequest& request) { return CheckChunks(request); }

Status CheckRequest(const v1::RemoveChunksRequest& request) { return CheckChunks(request); }

Status CheckRequest(const v1::ListStoredRequest& request) {
  if (request.limit() >= 1 && request.limit() <= kMaxChunksPerRequest) return OkStatus();
  return Invalid("a limit of {} chunks, 1 to {} are listed at once", request.limit(),
                 kMaxChunksPerRequest);
}

Status CheckRequest(const v1::SetAsideRequest& request) {
  if (request.chunks_size() > kMaxChunksPerRequest) {
    return Status::Error(ErrorCode::kTooLarge, "{} chunks, at most {}", request.chunks_size(),
                         kMaxChunksPerRequest);
  }
  for (const v1::StoredChunk& chunk : request.chunks()) {
    if (chunk.inode() == 0) return Invalid("a chunk of no inode");
  }
  return OkStatus();
}

Status CheckRequest(const v1::ListBlocksRequest& request) {
  if (request.inode() == 0) return Invalid("a chunk of no inode");
  return OkStatus();
}

Status CheckRequest(const v1::FetchBlocksRequest& request) {
  if (request.inode() == 0) return Invalid("a chunk of no inode");
  if (request.block_count() == 0 || request.block_count() > kMaxTransferBlocks ||
      request.first_block() >= kMaxBlocks) {
    return Invalid("blocks {} + {}", request.first_block(), request.block_count());
  }
  return OkStatus();
}

Status CheckRequest(const v1::InstallBlocksRequest& request, const Payload& payload) {
  if (request.summary().inode() == 0) return Invalid("a chunk of no inode");
  if (request.remove()) return OkStatus();
  RETURN_IF_ERROR(CheckChunkSize(request.chunk_size()));
  const uint64_t end = uint64_t{request.first_block()} * kBlockSize + payload.size();
  if (payload.size() % kBlockSize != 0 || payload.size() > kMaxTransferBytes ||
      end > request.chunk_size()) {
    return Invalid("{} bytes at block {}", payload.size(), request.first_block());
  }
  if (static_cast<size_t>(request.crcs_size()) != payload.size() / kBlockSize) {
    return Invalid("{} CRCs for {} bytes", request.crcs_size(), payload.size());
  }
  if (request.absent_blocks().size() > kMaxBlocks / 8) return Invalid("too many absent blocks");
  return OkStatus();
}

}  // namespace cairn
