#include "metaserver/inode_allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;

class InodeAllocatorTest : public ::testing::Test {
 protected:
  void Take() {
    inodes_.Take([this](Result<InodeId> id) {
      id ? taken_.push_back(id->value) : refused_.push_back(id.error().code());
    });
  }

  int asked_ = 0;
  std::vector<uint64_t> taken_;
  std::vector<ErrorCode> refused_;
  InodeAllocator inodes_{[this] { ++asked_; }};
};

TEST_F(InodeAllocatorTest, TakersWaitForTheFirstRange) {
  Take();
  Take();
  EXPECT_EQ(asked_, 1);
  EXPECT_THAT(taken_, ElementsAre());
  inodes_.Add(InodeId(100), kInodeRange);
  EXPECT_THAT(taken_, ElementsAre(100, 101));
}

TEST_F(InodeAllocatorTest, TheNextRangeIsAskedForBeforeTheLastIsUsedUp) {
  Take();
  inodes_.Add(InodeId(100), kInodeRange);
  for (uint64_t i = 0; i < kInodeRange - 10; ++i) Take();
  EXPECT_EQ(asked_, 2);
  inodes_.Add(InodeId(1'000'000), kInodeRange);
  for (uint64_t i = 0; i < 10; ++i) Take();
  EXPECT_EQ(taken_.size(), kInodeRange + 1);
  EXPECT_EQ(taken_[kInodeRange - 1], 100 + kInodeRange - 1);
  EXPECT_EQ(taken_[kInodeRange], 1'000'000u);
}

TEST_F(InodeAllocatorTest, ARefusalIsToldAndTheNextTakerAsksAgain) {
  Take();
  inodes_.Refuse(Status(ErrorCode::kNoSpace, "full"));
  EXPECT_THAT(refused_, ElementsAre(ErrorCode::kNoSpace));
  Take();
  EXPECT_EQ(asked_, 2);
  inodes_.Add(InodeId(5), kInodeRange);
  EXPECT_THAT(taken_, ElementsAre(5));
}

}  // namespace

}  // namespace cairn::testing
