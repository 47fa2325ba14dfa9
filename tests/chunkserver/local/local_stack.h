// Everything between a client's read and a chunk's file, in one process: server A with a real
// store, a page and a door; B keeps a second copy; a client that reads at A by itself.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "chunkserver/local/local_door.h"
#include "chunkserver/local/local_grants.h"
#include "chunkserver/local/local_page.h"
#include "client/local_reads.h"
#include "tests/chunkserver/replication/replication_cluster.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {

struct LocalStack {
  LocalStack();

  void OpenStore();
  void OpenDoor();
  // A leads, B follows, and A serves.
  void Serve();

  // Through the primary, as by frames.
  ErrorCode Write(uint32_t offset, const std::string& bytes, ChunkId id = kChunk);
  std::string ReadByFrames(uint32_t offset, uint32_t length, ChunkId id = kChunk);
  // Of the file, with a single cut to no bytes at each generation after the first.
  v1::ChunkAddress At(uint64_t generation, ChunkId id = kChunk) const;
  Result<LocalGrant> Grant(const v1::ChunkAddress& chunk) { return grants_->Grant(chunk); }
  // By the client itself; "-" when it would ask by frames.
  std::string ReadHere(uint32_t offset, uint32_t length) {
    return ReadHere(offset, length, cluster_.Address(kChunk));
  }
  std::string ReadHere(uint32_t offset, uint32_t length, const v1::ChunkAddress& chunk);
  client::Route RouteNow() const;
  // The second read of a few bytes is what the client asks the door for.
  std::string ReadHereTwice(uint32_t offset, uint32_t length);
  std::string FileOfChunk() const;  // its path
  std::string socket() const { return directory_ / "chunk.sock"; }
  GroupTable& table() { return cluster_.table(kA); }

  TemporaryDirectory directory_;
  std::unique_ptr<LocalPage> page_;
  std::unique_ptr<ChunkStore> store_;
  ReplicationCluster cluster_;
  std::unique_ptr<LocalGrants> grants_;
  std::unique_ptr<OpenGate> gate_;
  std::unique_ptr<LocalDoor> door_;
  std::unique_ptr<client::LocalReads> reads_;
  uint64_t sequence_ = 0;
};

}  // namespace cairn
