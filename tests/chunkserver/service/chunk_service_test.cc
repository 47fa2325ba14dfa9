#include "chunkserver/service/chunk_service.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

// The cluster's client is session 99.
bool ShutOutClient(ReplicationCluster& cluster, ServerId server) {
  v1::HeartbeatResponse answer;
  answer.add_fences()->set_sequence(1);
  answer.mutable_fences(0)->set_session(cluster.Address(ChunkId{}).session());
  answer.set_last_fence(1);
  return cluster.replica(server).context().fences.Take(answer);
}

uint64_t Finished(ReplicationCluster& cluster, ServerId server) {
  return cluster.replica(server).context().fences.Finished();
}

// Says what it was asked and answers as it is told.
class RecordingGate final : public AccessGate {
 public:
  Result<SessionTicket> Admit(const v1::ChunkAddress& chunk, std::string_view token,
                              uint32_t rights) override {
    asked.push_back(fmt::format("{}:{}:{}", chunk.index(), token, rights));
    if (!answer.ok()) return Fail(answer);
    return SessionTicket();
  }
  std::vector<std::string> asked;
  Status answer;
};

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

TEST(RuleL1ChunkService, WhoIsShutOutNeitherReadsNorWritesNorSyncs) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  ASSERT_TRUE(ShutOutClient(cluster, kA));
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('y'), 2)->code(), ErrorCode::kFenced);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kFenced);
  EXPECT_EQ(cluster.Sync(kA, kChunk)->code(), ErrorCode::kFenced);
  EXPECT_EQ(cluster.store(kA).Bytes(kChunk), Block('x'));
}

// Ordered means finished: the fence waits for it, no member refuses it (rule C7).
TEST(RuleL1ChunkService, AWriteThatWasAdmittedIsFinishedEverywhereBeforeTheFencePasses) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  cluster.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  ASSERT_TRUE(Eventually([&] { return cluster.network().Held(kA, kB) == 1; }));
  for (const ServerId server : {kA, kB, kC}) ASSERT_TRUE(ShutOutClient(cluster, server));
  EXPECT_EQ(Finished(cluster, kA), 0u);
  EXPECT_EQ(Finished(cluster, kB), 1u);
  cluster.network().ReleaseAll();
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  for (const ServerId server : {kA, kB, kC}) {
    EXPECT_EQ(cluster.store(server).Bytes(kChunk), Block('x'));
  }
  EXPECT_TRUE(Eventually([&] { return Finished(cluster, kA) == 1; }));
}

// It may have waited over the end of the lease, for which the fence has passed.
TEST(RuleL1ChunkService, AWriteThatWaitedIsNotOrderedOnceTheListHasCome) {
  ReplicationCluster cluster;
  cluster.HoldActivations(true);
  cluster.SetGroup({{kA}, {kB}});
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  ASSERT_TRUE(ShutOutClient(cluster, kA));
  EXPECT_EQ(Finished(cluster, kA), 0u);
  EXPECT_FALSE(write->done());
  cluster.HoldActivations(false);
  EXPECT_EQ(write->code(), ErrorCode::kFenced);
  EXPECT_FALSE(cluster.store(kA).Has(kChunk));
  EXPECT_TRUE(Eventually([&] { return Finished(cluster, kA) == 1; }));
}

TEST(ChunkService, AsksForTheRightThatEachCallNeeds) {
  ReplicationCluster cluster;
  RecordingGate gate;
  gate.answer = Status(ErrorCode::kTokenRefused, "no");
  Dispatcher dispatcher;
  RegisterChunkService(dispatcher, cluster.replica(kA), gate);
  auto ask = [&](v1::Method method, const google::protobuf::MessageLite& request,
                 Payload payload = {}) {
    ErrorCode code = ErrorCode::kOk;
    dispatcher.Dispatch(method, std::make_shared<DirectCall>(
                                    request, std::move(payload), PeerIdentity(),
                                    Deadline::After(std::chrono::seconds(1)),
                                    [&](const Result<RawReply>& reply) {
                                      code = internal::StatusOf(reply).code();
                                    }));
    return code;
  };
  v1::ReadChunkRequest read;
  *read.mutable_chunk() = cluster.Address(kChunk);
  read.mutable_chunk()->set_token("t");
  read.set_length(kBlockSize);
  EXPECT_EQ(ask(v1::CHUNK_READ, read), ErrorCode::kTokenRefused);
  v1::WriteChunkRequest write;
  *write.mutable_chunk() = read.chunk();
  write.add_crcs(1);
  EXPECT_EQ(ask(v1::CHUNK_WRITE, write, Payload::CopyOf("x")), ErrorCode::kTokenRefused);
  EXPECT_EQ(gate.asked, (std::vector<std::string>{"0:t:1", "0:t:2"}));
}

TEST(ChunkService, AChunkOfASyncGoesByTheTokenOfTheOneBeforeIt) {
  ReplicationCluster cluster;
  RecordingGate gate;
  Dispatcher dispatcher;
  RegisterChunkService(dispatcher, cluster.replica(kA), gate);
  v1::SyncChunksRequest sync;
  for (uint32_t i = 0; i < 3; ++i) {
    *sync.add_chunks() = cluster.Address({kChunk.inode, i});
    sync.add_oldest_write_epochs(1);
  }
  sync.mutable_chunks(0)->set_token("a");
  sync.mutable_chunks(2)->set_token("b");
  auto call = std::make_shared<DirectCall>(sync, Payload(), PeerIdentity(),
                                           Deadline::After(std::chrono::seconds(1)),
                                           [](const Result<RawReply>&) {});
  dispatcher.Dispatch(v1::CHUNK_SYNC, std::move(call));
  EXPECT_EQ(gate.asked, (std::vector<std::string>{"0:a:3", "1:a:3", "2:b:3"}));
}

}  // namespace
}  // namespace cairn
