#include "chunkserver/service/chunk_service.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

TEST(ChunkService, AnOrdinaryUserOfTheHostIsNoServer) {
  constexpr ChunkId kChunk{InodeId(5), 0};
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  const std::string bytes(kBlockSize, 'x');
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, bytes, 1)->code(), ErrorCode::kOk);
  PeerIdentity user;
  user.kind = PeerIdentity::Kind::kUnixSocket;
  user.uid = 54321;
  cluster.CallAs(user);
  EXPECT_EQ(cluster.Remove(kA, kChunk)->code(), ErrorCode::kPermission);
  v1::ListChunksRequest list;
  EXPECT_EQ(cluster.Call(kA, v1::CHUNK_LIST_CHUNKS, list)->code(), ErrorCode::kPermission);
  v1::ListStoredRequest stored;
  stored.set_limit(1);
  EXPECT_EQ(cluster.Call(kA, v1::CHUNK_LIST_STORED, stored)->code(), ErrorCode::kPermission);
  EXPECT_EQ(cluster.Call(kA, v1::CHUNK_SET_ASIDE, v1::SetAsideRequest())->code(),
            ErrorCode::kPermission);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize, true)->code(), ErrorCode::kOk);
}

}  // namespace
}  // namespace cairn
