#include "chunkserver/disk_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What all disks of a test were asked to do, in order.
using Story = std::vector<std::string>;

// A disk that joins when the test says so.
class FakeDisk final : public DiskServer {
 public:
  FakeDisk(std::string name, uint32_t id, Story& story)
      : name_(std::move(name)), id_(id), story_(story) {}

  const std::string& directory() const override { return name_; }
  const Dispatcher& dispatcher() const override { return dispatcher_; }
  v1::Hello MakeHello() const override {
    v1::Hello hello;
    hello.set_server(id_);
    return hello;
  }
  ServerId id() const override { return ServerId(id_); }
  bool refused() const override { return refused_; }
  void Start() override {}
  void Join(DiskJoin join) override {
    story_.push_back(fmt::format("{} joins chunkserver {}", name_, join.chunkserver));
    join_ = std::move(join);
  }
  void Leave() override { story_.push_back(name_ + " leaves"); }
  void StopWorkers() override {}
  Status Close() override {
    story_.push_back(name_ + " closes");
    return closes_;
  }

  void BeWelcome(uint32_t id) {
    id_ = id;
    join_->joined(ServerId(id));
  }
  void BeRefused(const std::string& why) {
    refused_ = true;
    join_->refused(Status(ErrorCode::kWrongCluster, why));
  }

  Status closes_;

 private:
  const std::string name_;
  uint32_t id_;
  Story& story_;
  bool refused_ = false;
  std::optional<DiskJoin> join_;
  Dispatcher dispatcher_;
};

class DiskSetTest : public ::testing::Test {
 protected:
  // Disks a, b, c ... of the configuration; 0: one that is new.
  void Make(std::vector<uint32_t> ids) {
    std::vector<std::unique_ptr<DiskServer>> disks;
    for (const uint32_t id : ids) {
      const char name = static_cast<char>('a' + disks.size());
      auto disk = std::make_unique<FakeDisk>(std::string(1, name), id, story_);
      disks_[name] = disk.get();
      disks.push_back(std::move(disk));
    }
    set_ = std::make_unique<DiskSet>(std::move(disks));
  }
  void Join() {
    set_->Join({}, [this](const Status& reason) { refusals_.push_back(reason.message()); });
  }
  Result<FrameService> Choose(uint32_t wanted) {
    v1::Hello peer;
    peer.set_wanted_server(wanted);
    return set_->Choose(peer);
  }
  FakeDisk& disk(char name) { return *disks_.at(name); }
  Story TakeStory() { return std::exchange(story_, {}); }

  Story story_;
  std::map<char, FakeDisk*> disks_;
  std::unique_ptr<DiskSet> set_;
  std::vector<std::string> refusals_;
};

TEST_F(DiskSetTest, AConnectionGetsTheDiskItWantsAndALaneOfItsOwn) {
  Make({4, 7});
  const auto four = Choose(4);
  const auto seven = Choose(7);
  ASSERT_THAT(four, IsOk());
  ASSERT_THAT(seven, IsOk());
  EXPECT_EQ(four->dispatcher, &disk('a').dispatcher());
  EXPECT_EQ(seven->dispatcher, &disk('b').dispatcher());
  EXPECT_EQ(seven->hello.server(), 7u);
  EXPECT_NE(four->lane, seven->lane);
  EXPECT_EQ(Choose(0)->dispatcher, &disk('a').dispatcher());
}

// What one member of a group acknowledges must not be taken for another one's word.
TEST_F(DiskSetTest, WhoMovesDataMustSayWhichOfSeveralDisksItWants) {
  v1::Hello peer;
  for (const v1::Role role : {v1::ROLE_CHUNKSERVER, v1::ROLE_METASERVER, v1::ROLE_CLIENT}) {
    peer.set_role(role);
    Make({4, 7});
    EXPECT_THAT(set_->Choose(peer), StatusIs(ErrorCode::kUnavailable)) << role;
    Make({4});
    EXPECT_THAT(set_->Choose(peer), IsOk()) << role;
  }
}

TEST_F(DiskSetTest, ADiskThatIsNotHereIsServedByNoOther) {
  Make({4, 0});
  const auto other = Choose(5);
  ASSERT_THAT(other, StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(other.error().message(), HasSubstr("server 5 is wanted"));
}

TEST_F(DiskSetTest, ADiskThatWasRefusedServesNobody) {
  Make({4, 7});
  Join();
  disk('a').BeRefused("gone");
  EXPECT_THAT(Choose(4), StatusIs(ErrorCode::kUnavailable));
  EXPECT_EQ(Choose(0)->hello.server(), 7u);
}

TEST_F(DiskSetTest, TheFirstJoinsAndThenTheOthersAsItsDisks) {
  Make({0, 0, 0});
  Join();
  EXPECT_THAT(TakeStory(), ElementsAre("a joins chunkserver 0"));
  disk('a').BeWelcome(5);
  EXPECT_THAT(TakeStory(), ElementsAre("b joins chunkserver 5", "c joins chunkserver 5"));
  disk('a').BeWelcome(5);  // the cluster had forgotten it
  EXPECT_THAT(TakeStory(), IsEmpty());
}

TEST_F(DiskSetTest, ANewDiskInFrontDoesNotTakeTheChunkserversNumber) {
  Make({0, 4, 7});
  Join();
  EXPECT_THAT(TakeStory(), ElementsAre("b joins chunkserver 0"));
  disk('b').BeWelcome(4);
  EXPECT_THAT(TakeStory(), ElementsAre("c joins chunkserver 4", "a joins chunkserver 4"));
}

TEST_F(DiskSetTest, OneThatIsRefusedIsPassedOver) {
  Make({4, 7, 9});
  Join();
  disk('a').BeRefused("gone");
  EXPECT_THAT(TakeStory(), ElementsAre("a joins chunkserver 0", "b joins chunkserver 0"));
  disk('b').BeWelcome(7);
  EXPECT_THAT(TakeStory(), ElementsAre("c joins chunkserver 7"));
  EXPECT_THAT(refusals_, IsEmpty());
}

TEST_F(DiskSetTest, OnlyWhenAllAreRefusedIsThatTheEnd) {
  Make({4, 7});
  Join();
  disk('a').BeWelcome(4);
  disk('b').BeRefused("moved");
  EXPECT_THAT(refusals_, IsEmpty());
  disk('a').BeRefused("gone");
  EXPECT_THAT(refusals_, ElementsAre("moved"));
}

TEST_F(DiskSetTest, OneThatCannotBeClosedKeepsNoOtherFromIt) {
  Make({4, 7});
  disk('a').closes_ = Status(ErrorCode::kDiskFailed, "no more");
  set_->Leave();
  EXPECT_THAT(set_->Close(), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(TakeStory(), ElementsAre("a leaves", "b leaves", "a closes", "b closes"));
}

}  // namespace
}  // namespace cairn
