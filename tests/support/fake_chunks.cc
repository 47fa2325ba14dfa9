#include "tests/support/fake_chunks.h"

#include <algorithm>
#include <cstring>

#include "common/crc32c.h"
#include "common/ids.h"
#include "rpc/chunk_token.h"
#include "tests/support/fake_serve.h"

namespace cairn::testing {

namespace {

uint64_t ReadInode(const v1::ReadChunkRequest& request) {
  return request.chunk().inode();
}
uint64_t WriteInode(const v1::WriteChunkRequest& request) {
  return request.chunk().inode();
}
uint64_t SyncInode(const v1::SyncChunksRequest& request) {
  return request.chunks_size() == 0 ? 0 : request.chunks(0).inode();
}

// Written down here once more, so that the client's own cutting is checked against another.
std::vector<uint32_t> Crcs(std::span<const std::byte> data, size_t offset) {
  std::vector<uint32_t> crcs;
  for (size_t at = 0; at < data.size();) {
    size_t end = std::min(data.size(), at + kBlockSize - (offset + at) % kBlockSize);
    crcs.push_back(Crc32c(data.subspan(at, end - at)));
    at = end;
  }
  return crcs;
}

}  // namespace

void FakeChunks::Register(Dispatcher& dispatcher, uint32_t server) {
  ServeScripted<v1::ReadChunkRequest, v1::ReadChunkResponse>(
      dispatcher, script_, v1::CHUNK_READ, &ReadInode,
      [this, server](const v1::ReadChunkRequest& request, const Payload&, Payload& answer) {
        return Read(request, server, answer);
      });
  ServeScripted<v1::WriteChunkRequest, v1::WriteChunkResponse>(
      dispatcher, script_, v1::CHUNK_WRITE, &WriteInode,
      [this, server](const v1::WriteChunkRequest& request, const Payload& data, Payload&) {
        return Write(request, server, data);
      });
  ServeScripted<v1::SyncChunksRequest, v1::SyncChunksResponse>(
      dispatcher, script_, v1::CHUNK_SYNC, &SyncInode,
      [this, server](const v1::SyncChunksRequest& request, const Payload&, Payload&) {
        return Sync(request, server);
      });
}

void FakeChunks::SetGroup(uint32_t group, uint64_t epoch, uint32_t primary) {
  absl::MutexLock lock(&mu_);
  groups_[group] = {epoch, primary};
}

void FakeChunks::LosePower(uint32_t group) {
  absl::MutexLock lock(&mu_);
  power_lost_[group] = groups_[group].first + 1;
  for (auto& [key, chunk] : chunks_) {
    if (chunk.group != group || chunk.synced) continue;
    chunk.bytes.assign(chunk.bytes.size(), '\0');
    chunk.requests.clear();
  }
}

void FakeChunks::RefuseTokensBefore(uint32_t key) {
  absl::MutexLock lock(&mu_);
  oldest_key_ = key;
}

void FakeChunks::Fence(uint64_t session) {
  absl::MutexLock lock(&mu_);
  fenced_.insert(session);
}

Status FakeChunks::CheckToken(const v1::ChunkAddress& address, const std::string& token,
                              uint32_t rights) {
  if (fenced_.contains(address.session())) {
    return Status::Error(ErrorCode::kFenced, "session {}", address.session());
  }
  v1::TokenClaims claims;
  const bool good = !token.empty() && claims.ParseFromString(token) &&
                    claims.key() >= oldest_key_ && claims.session() == address.session() &&
                    claims.inode() == address.inode() && (claims.rights() & rights) != 0 &&
                    (rights != kTokenWrite || claims.generation() >= address.generation());
  return good ? OkStatus() : Status::Error(ErrorCode::kTokenRefused, "inode {}", address.inode());
}

uint32_t FakeChunks::GroupOf(uint64_t inode, uint32_t index) const {
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find({inode, index});
  return it == chunks_.end() ? 0 : it->second.group;
}

void FakeChunks::FlipByte(uint64_t inode, uint32_t index, uint32_t offset) {
  absl::MutexLock lock(&mu_);
  chunks_[{inode, index}].damaged_blocks.insert(offset / kBlockSize);
}

std::string FakeChunks::Bytes(uint64_t inode, uint32_t index) const {
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find({inode, index});
  return it == chunks_.end() ? std::string() : it->second.bytes;
}

uint64_t FakeChunks::bytes_written() const {
  absl::MutexLock lock(&mu_);
  return bytes_written_;
}

uint64_t FakeChunks::writes_run() const {
  absl::MutexLock lock(&mu_);
  return writes_run_;
}

bool FakeChunks::AllSynced(uint64_t inode) const {
  absl::MutexLock lock(&mu_);
  return std::all_of(chunks_.begin(), chunks_.end(), [&](const auto& entry) {
    return entry.first.first != inode || entry.second.synced;
  });
}

void FakeChunks::SetNearFull(bool near_full) {
  absl::MutexLock lock(&mu_);
  near_full_ = near_full;
}

Status FakeChunks::Check(const v1::ChunkAddress& address, uint32_t server) {
  auto group = groups_.find(address.group());
  if (group == groups_.end() || group->second.first != address.epoch()) {
    return Status::Error(ErrorCode::kStaleEpoch, "group {}", address.group());
  }
  if (group->second.second != server) {
    return Status::Error(ErrorCode::kNotPrimary, "group {}", address.group());
  }
  auto chunk = chunks_.find({address.inode(), address.index()});
  if (chunk != chunks_.end() && chunk->second.generation > address.generation()) {
    return Status::Error(ErrorCode::kStaleGeneration, "chunk {}", address.index());
  }
  return OkStatus();
}

void FakeChunks::Cut(Chunk& chunk, const v1::ChunkAddress& address) {
  for (const v1::Cut& cut : address.cuts()) {
    if (cut.generation() <= chunk.generation) continue;
    uint64_t start = uint64_t{address.index()} * address.chunk_size();
    size_t keep = static_cast<size_t>(cut.length() > start ? cut.length() - start : 0);
    if (keep >= chunk.bytes.size()) continue;
    std::memset(chunk.bytes.data() + keep, 0, chunk.bytes.size() - keep);
  }
  chunk.generation = address.generation();
}

Result<v1::ReadChunkResponse> FakeChunks::Read(const v1::ReadChunkRequest& request, uint32_t server,
                                               Payload& answer) {
  absl::MutexLock lock(&mu_);
  const v1::ChunkAddress& address = request.chunk();
  RETURN_IF_ERROR(CheckToken(address, address.token(), kTokenRead));
  RETURN_IF_ERROR(Check(address, server));
  if (request.offset() % kBlockSize != 0 || request.length() % kBlockSize != 0 ||
      request.length() > kMaxTransferBytes) {
    return Fail(ErrorCode::kInvalidArgument, "read of {}+{}", request.offset(), request.length());
  }
  v1::ReadChunkResponse response;
  auto it = chunks_.find({address.inode(), address.index()});
  if (it == chunks_.end()) {
    if (request.must_exist()) return Fail(ErrorCode::kChunkMissing, "absent");
    response.set_absent(true);
    return response;
  }
  Chunk& chunk = it->second;
  Cut(chunk, address);
  answer =
      Payload::CopyOf(std::string_view(chunk.bytes).substr(request.offset(), request.length()));
  for (uint32_t crc : Crcs(answer.bytes(), 0)) response.add_crcs(crc);
  for (uint32_t block : chunk.damaged_blocks) {
    uint32_t offset = block * kBlockSize;
    if (offset < request.offset() || offset >= request.offset() + request.length()) continue;
    answer.writable()[offset - request.offset()] ^= std::byte{1};
  }
  return response;
}

Result<v1::WriteChunkResponse> FakeChunks::Write(const v1::WriteChunkRequest& request,
                                                 uint32_t server, const Payload& data) {
  absl::MutexLock lock(&mu_);
  const v1::ChunkAddress& address = request.chunk();
  RETURN_IF_ERROR(CheckToken(address, address.token(), kTokenWrite));
  RETURN_IF_ERROR(Check(address, server));
  std::vector<uint32_t> crcs(request.crcs().begin(), request.crcs().end());
  if (Crcs(data.bytes(), request.offset()) != crcs ||
      request.offset() + data.size() > address.chunk_size()) {
    return Fail(ErrorCode::kInvalidArgument, "write at {}", request.offset());
  }
  Chunk& chunk = chunks_[{address.inode(), address.index()}];
  chunk.bytes.resize(address.chunk_size());
  Cut(chunk, address);
  v1::WriteChunkResponse response;
  response.set_near_full(near_full_);
  if (!chunk.requests.insert({address.session(), request.sequence()}).second) return response;
  std::memcpy(chunk.bytes.data() + request.offset(), data.bytes().data(), data.size());
  chunk.synced = false;
  chunk.group = address.group();
  bytes_written_ += data.size();
  ++writes_run_;
  return response;
}

Status FakeChunks::CheckPower(const v1::SyncChunksRequest& request) const {
  if (request.oldest_write_epochs_size() != request.chunks_size()) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} epochs for {} chunks",
                         request.oldest_write_epochs_size(), request.chunks_size());
  }
  for (int i = 0; i < request.chunks_size(); ++i) {
    auto lost = power_lost_.find(request.chunks(i).group());
    if (lost == power_lost_.end() || lost->second <= request.oldest_write_epochs(i)) continue;
    return Status::Error(ErrorCode::kIoError, "group {} has lost power", lost->first);
  }
  return OkStatus();
}

Result<v1::SyncChunksResponse> FakeChunks::Sync(const v1::SyncChunksRequest& request,
                                                uint32_t server) {
  absl::MutexLock lock(&mu_);
  const std::string none;
  const std::string* token = &none;
  for (const v1::ChunkAddress& address : request.chunks()) {
    if (!address.token().empty()) token = &address.token();
    RETURN_IF_ERROR(CheckToken(address, *token, kTokenRead | kTokenWrite));
    RETURN_IF_ERROR(Check(address, server));
  }
  RETURN_IF_ERROR(CheckPower(request));
  for (const v1::ChunkAddress& address : request.chunks()) {
    chunks_[{address.inode(), address.index()}].synced = true;
  }
  return v1::SyncChunksResponse();
}

}  // namespace cairn::testing
