#include "chunkserver/replication/chunk_gate.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace cairn {
namespace {

Deadline Soon() {
  return Deadline::After(std::chrono::milliseconds(20));
}
Deadline Later() {
  return Deadline::After(std::chrono::seconds(10));
}

PendingWritePtr WriteTo(BlockRange range, uint64_t sequence = 1) {
  auto write = std::make_shared<PendingWrite>();
  write->range = range;
  write->session = SessionId(1);
  write->sequence = sequence;
  return write;
}

TEST(ChunkGateTest, TurnsRunOneAtATimeInTheirOrder) {
  ChunkGate gate;
  std::vector<int> order;
  gate.Order([&] {
    gate.Order([&] { order.push_back(2); });
    order.push_back(1);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(ChunkGateTest, AHeldChunkKeepsTurnsOutUntilItIsReleased) {
  ChunkGate gate;
  ASSERT_TRUE(gate.Hold(Later()));
  bool ran = false;
  gate.Order([&] { ran = true; });
  EXPECT_FALSE(ran);
  gate.Release();
  EXPECT_TRUE(ran);
}

TEST(ChunkGateTest, CannotBeHeldWhileAWriteIsInFlightAndTurnsGoOnAfterwards) {
  ChunkGate gate;
  const PendingWritePtr write = WriteTo({0, 1});
  gate.AddWrite(write);
  EXPECT_FALSE(gate.Hold(Soon()));
  bool ran = false;
  gate.Order([&] { ran = true; });
  EXPECT_TRUE(ran);
  gate.EndWrite(*write, true);
  EXPECT_TRUE(gate.Hold(Later()));
  gate.Release();
}

// Whether someone waits to hold the chunk: turns are kept out then.
bool IsWanted(ChunkGate& gate) {
  auto ran = std::make_shared<bool>(false);
  gate.Order([ran] { *ran = true; });
  return !*ran;
}

TEST(ChunkGateTest, AResendRunsWhileSomeoneWaitsToHoldTheChunk) {
  ChunkGate gate;
  const PendingWritePtr write = WriteTo({0, 1});
  gate.AddWrite(write);
  bool held = false;
  std::thread holder([&] {
    held = gate.Hold(Later());
    if (held) gate.Release();
  });
  while (!IsWanted(gate)) std::this_thread::yield();
  gate.OrderResend([&] { gate.EndWrite(*write, true); });
  holder.join();
  EXPECT_TRUE(held);
}

TEST(ChunkGateTest, TurnsThatWaitedRunBeforeTheNextOneHolds) {
  ChunkGate gate;
  ASSERT_TRUE(gate.Hold(Later()));
  const PendingWritePtr write = WriteTo({0, 1});
  // The first turn lets the next holder claim the chunk; the second one must run all the same.
  std::thread holder;
  bool ran = false;
  bool held = false;
  gate.Order([&] {
    holder = std::thread([&] {
      held = gate.Hold(Later());
      EXPECT_TRUE(ran);
      if (held) gate.Release();
    });
    gate.AddWrite(write);
  });
  gate.Order([&] { ran = true; });
  gate.Release();
  EXPECT_TRUE(ran);
  gate.EndWrite(*write, true);
  holder.join();
  EXPECT_TRUE(held);
}

TEST(ChunkGateTest, TwoThreadsNeverHoldTogether) {
  ChunkGate gate;
  int inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        ASSERT_TRUE(gate.Hold(Later()));
        EXPECT_EQ(++inside, 1);
        --inside;
        gate.Release();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ChunkGateTest, AReaderWaitsForOverlappingWritesOnly) {
  ChunkGate gate;
  const PendingWritePtr write = WriteTo({2, 4});
  gate.AddWrite(write);
  std::vector<ErrorCode> seen;
  const auto note = [&](const Status& status) { seen.push_back(status.code()); };
  EXPECT_FALSE(gate.WhenClear({0, 2}, Later(), note));
  EXPECT_TRUE(gate.WhenClear({3, 5}, Later(), note));
  EXPECT_EQ(seen.size(), 1u);
  gate.EndWrite(*write, true);
  EXPECT_EQ(seen, (std::vector<ErrorCode>{ErrorCode::kOk, ErrorCode::kOk}));
}

TEST(ChunkGateTest, AReaderPastItsDeadlineIsToldSo) {
  ChunkGate gate;
  gate.AddWrite(WriteTo({0, 1}));
  ErrorCode seen = ErrorCode::kOk;
  gate.WhenClear({0, 1}, Deadline::After(Duration::zero()),
                 [&](const Status& status) { seen = status.code(); });
  gate.ExpireWaiters();
  EXPECT_EQ(seen, ErrorCode::kDeadlineExceeded);
}

TEST(ChunkGateTest, RemembersWhatWasFinishedButNotWhatWasGivenUp) {
  ChunkGate gate;
  const PendingWritePtr done = WriteTo({0, 1}, 1);
  const PendingWritePtr dropped = WriteTo({0, 1}, 2);
  gate.AddWrite(done);
  gate.AddWrite(dropped);
  EXPECT_EQ(gate.FindWrite({SessionId(1), 2}), dropped);
  gate.EndWrite(*done, true);
  gate.EndWrite(*dropped, false);
  EXPECT_TRUE(gate.WasFinished({SessionId(1), 1}));
  EXPECT_FALSE(gate.WasFinished({SessionId(1), 2}));
}

// Rule C8: however much others write meanwhile, a retry is known.
TEST(ChunkGateTest, RemembersTheLastWritesOfEachSession) {
  ChunkGate gate;
  gate.RememberFinished({SessionId(1), 1});
  for (uint64_t sequence = 1; sequence <= 100; ++sequence) {
    gate.RememberFinished({SessionId(2), sequence});
  }
  EXPECT_TRUE(gate.WasFinished({SessionId(1), 1}));
  EXPECT_TRUE(gate.WasFinished({SessionId(2), 100}));
  EXPECT_FALSE(gate.WasFinished({SessionId(2), 1}));
  for (uint64_t session = 100; session < 200; ++session) {
    gate.RememberFinished({SessionId(session), 1});
  }
  EXPECT_FALSE(gate.WasFinished({SessionId(1), 1}));
  gate.ForgetFinished();
  EXPECT_FALSE(gate.WasFinished({SessionId(199), 1}));
}

TEST(ChunkGatesTest, TheGateOfAChunkIsTheSameWhileSomebodyHasIt) {
  ChunkGates gates;
  const ChunkGatePtr gate = gates.Get({InodeId(1), 0});
  for (uint64_t inode = 2; inode < 100000; ++inode) (void)gates.Get({InodeId(inode), 0});
  EXPECT_EQ(gates.Get({InodeId(1), 0}), gate);
}

}  // namespace
}  // namespace cairn
