#include "raft/core/membership.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn::raft {
namespace {

Members Of(std::initializer_list<uint32_t> ids) {
  Members members;
  for (uint32_t id : ids) members[ServerId(id)] = "h" + std::to_string(id);
  return members;
}

std::function<bool(ServerId)> In(const Members& members) {
  return [members](ServerId id) { return members.contains(id); };
}

std::function<uint64_t(ServerId)> Reached(std::map<uint32_t, uint64_t> values) {
  return [values = std::move(values)](ServerId id) {
    const auto value = values.find(id.value);
    return value == values.end() ? 0 : value->second;
  };
}

TEST(MembershipTest, AMajorityIsMoreThanHalf) {
  EXPECT_FALSE((Membership{Of({1, 2, 3}), {}, {}}).HasQuorum(In(Of({1}))));
  EXPECT_TRUE((Membership{Of({1, 2, 3}), {}, {}}).HasQuorum(In(Of({1, 3}))));
  EXPECT_FALSE((Membership{Of({1, 2, 3, 4}), {}, {}}).HasQuorum(In(Of({1, 3}))));
  EXPECT_FALSE((Membership{{}, {}, Of({1})}).HasQuorum(In(Of({1}))));
}

TEST(MembershipTest, AJointOneNeedsBothMajorities) {
  const Membership joint{Of({3, 4, 5}), Of({1, 2, 3}), {}};
  EXPECT_FALSE(joint.HasQuorum(In(Of({3, 4, 5}))));
  EXPECT_FALSE(joint.HasQuorum(In(Of({1, 2, 3}))));
  EXPECT_TRUE(joint.HasQuorum(In(Of({2, 3, 4}))));
}

TEST(MembershipTest, LearnersDoNotCount) {
  EXPECT_FALSE((Membership{Of({1, 2, 3}), {}, Of({4, 5})}).HasQuorum(In(Of({1, 4, 5}))));
}

TEST(MembershipTest, TheQuorumValueIsWhatAMajorityHasReached) {
  const Membership three{Of({1, 2, 3}), {}, {}};
  EXPECT_EQ(three.QuorumValue(Reached({{1, 9}, {2, 5}, {3, 1}})), 5u);
  const Membership four{Of({1, 2, 3, 4}), {}, {}};
  EXPECT_EQ(four.QuorumValue(Reached({{1, 9}, {2, 5}, {3, 4}, {4, 1}})), 4u);
  EXPECT_EQ((Membership{Of({1}), {}, {}}).QuorumValue(Reached({{1, 7}})), 7u);
  const Membership joint{Of({1, 2, 3}), Of({1, 4, 5}), {}};
  EXPECT_EQ(joint.QuorumValue(Reached({{1, 9}, {2, 8}, {3, 8}, {4, 2}, {5, 1}})), 2u);
}

TEST(MembershipTest, ItComesBackFromItsBytes) {
  const Membership membership{Of({1, 2, 300}), Of({1}), {{ServerId(9), ""}}};
  EXPECT_EQ(*DecodeMembership(Encode(membership)), membership);
  EXPECT_EQ(*DecodeMembership(Encode(Membership())), Membership());
}

TEST(MembershipTest, BytesThatAreNoMembershipAreRefused) {
  const std::string good = Encode(Membership{Of({1, 2}), {}, {}});
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(DecodeMembership(good.substr(0, size)), StatusIs(ErrorCode::kCorruption));
  }
  EXPECT_THAT(DecodeMembership(good + "x"), StatusIs(ErrorCode::kCorruption));
  std::string twice = Encode(Membership{Of({1, 2}), {}, {}});
  twice[twice.find("h2") - 8] = 1;  // its id
  EXPECT_THAT(DecodeMembership(twice), StatusIs(ErrorCode::kCorruption));
  std::string many = good;
  many[3] = '\xff';  // the count
  EXPECT_THAT(DecodeMembership(many), StatusIs(ErrorCode::kCorruption));
}

TEST(MembershipTest, AllNamesEveryoneOnce) {
  const Membership membership{Of({1, 3}), Of({1, 2}), Of({9})};
  EXPECT_EQ(membership.All(),
            (std::vector<ServerId>{ServerId(1), ServerId(2), ServerId(3), ServerId(9)}));
  EXPECT_EQ(*membership.AddressOf(ServerId(2)), "h2");
  EXPECT_EQ(membership.AddressOf(ServerId(4)), nullptr);
}

}  // namespace
}  // namespace cairn::raft
