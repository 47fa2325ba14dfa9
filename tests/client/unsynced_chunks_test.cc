#include "client/unsynced_chunks.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cairn::client {
namespace {

std::map<uint64_t, uint64_t> ByIndex(const UnsyncedChunks& chunks) {
  std::map<uint64_t, uint64_t> epochs;
  for (const auto& [first, run] : chunks.runs()) {
    for (uint64_t index = first; index < run.end; ++index) epochs[index] = run.oldest.value;
  }
  return epochs;
}

TEST(UnsyncedChunks, AChunkKeepsTheEpochOfItsOldestWrite) {
  UnsyncedChunks chunks;
  chunks.Add(7, Epoch(5));
  chunks.Add(7, Epoch(9));
  EXPECT_EQ(ByIndex(chunks), (std::map<uint64_t, uint64_t>{{7, 5}}));
  chunks.Add(7, Epoch(2));
  EXPECT_EQ(ByIndex(chunks), (std::map<uint64_t, uint64_t>{{7, 2}}));
}

TEST(UnsyncedChunks, NeighboursOfOneEpochAreOneRun) {
  UnsyncedChunks chunks;
  for (const uint32_t index : {0u, 1u, 3u, 2u, 4u}) chunks.Add(index, Epoch(index == 4 ? 2 : 1));
  EXPECT_EQ(chunks.runs().size(), 2u);
  chunks.Add(4, Epoch(1));
  EXPECT_EQ(chunks.runs().size(), 1u);
  EXPECT_EQ(chunks.count(), 5u);
}

TEST(UnsyncedChunks, WhatOthersWroteIsCoveredButNotOurs) {
  RunSet runs;
  runs.AddRange(0, 10);
  UnsyncedChunks chunks;
  chunks.AddUnknown(runs);
  EXPECT_FALSE(chunks.HasOwnWrites());
  chunks.Add(3, Epoch(4));
  EXPECT_TRUE(chunks.HasOwnWrites());
  EXPECT_EQ(chunks.count(), 10u);
  EXPECT_EQ(ByIndex(chunks)[3], 4u);
  EXPECT_FALSE(chunks.WithoutOwnWrites().HasOwnWrites());
  EXPECT_EQ(chunks.WithoutOwnWrites().count(), 10u);
}

TEST(UnsyncedChunks, IsAMapOfSmallestEpochs) {
  std::mt19937 random(20261126);
  for (int round = 0; round < 200; ++round) {
    UnsyncedChunks chunks;
    std::map<uint64_t, uint64_t> model;
    for (int step = 0; step < 20; ++step) {
      const uint64_t first = random() % 20;
      const uint64_t end = first + random() % 6;
      const uint64_t epoch = 1 + random() % 4;
      UnsyncedChunks added;
      added.AddRange(first, end, Epoch(epoch));
      chunks.AddAll(added);
      for (uint64_t index = first; index < end; ++index) {
        const auto [it, fresh] = model.try_emplace(index, epoch);
        if (!fresh) it->second = std::min(it->second, epoch);
      }
      ASSERT_EQ(ByIndex(chunks), model);
    }
    uint64_t end = 0;
    Epoch before;
    for (const auto& [first, run] : chunks.runs()) {
      EXPECT_TRUE(first > end || run.oldest != before || end == 0) << "two runs could be one";
      end = run.end;
      before = run.oldest;
    }
  }
}

}  // namespace
}  // namespace cairn::client
