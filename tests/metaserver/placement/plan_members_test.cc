#include "metaserver/placement/plan_members.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace cairn {
namespace {

using Presence = ServerView::Presence;

enum class Start { kSame, kRestarted, kRebooted };

struct Case {
  v1::MemberState state;
  Presence presence;
  Start start;
};

// Everything one member can look like.
std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const Presence presence : {Presence::kAlive, Presence::kQuiet, Presence::kGone}) {
    for (const Start start : {Start::kSame, Start::kRestarted, Start::kRebooted}) {
      cases.push_back({v1::MEMBER_ACTIVE, presence, start});
    }
    cases.push_back({v1::MEMBER_SYNCING, presence, Start::kSame});
  }
  return cases;
}

constexpr uint64_t kStoredIncarnation = 5;

// A group of members 1, 2, ... that look like `cases`, and what the metaserver sees of them.
struct Situation {
  v1::PlacementGroup group;
  std::vector<ServerView> views;

  explicit Situation(const std::vector<Case>& cases) {
    group.set_id(1);
    group.set_epoch(10);
    for (size_t i = 0; i < cases.size(); ++i) {
      v1::Member& member = *group.add_members();
      member.set_server(static_cast<uint32_t>(i + 1));
      member.set_state(cases[i].state);
      if (cases[i].state == v1::MEMBER_ACTIVE) {
        member.set_incarnation(kStoredIncarnation);
        member.set_boot_id("old");
      }
      const bool same = cases[i].start == Start::kSame;
      views.push_back({cases[i].presence, Incarnation(kStoredIncarnation + (same ? 0 : 1)),
                       cases[i].start == Start::kRebooted ? "new" : "old"});
    }
    Activate(group);
  }
  const ServerView& View(uint32_t server) const { return views[server - 1]; }
  std::optional<v1::PlacementGroup> Plan(const v1::PlacementGroup& from) const {
    return PlanMembers(from, [this](ServerId server) { return View(server.value); });
  }
  std::string Text() const {
    std::string text;
    for (const v1::Member& member : group.members()) {
      const ServerView& view = View(member.server());
      text += fmt::format("[{} {} inc {} boot {}]", member.state() == v1::MEMBER_ACTIVE ? "A" : "s",
                          static_cast<int>(view.presence), view.incarnation, view.boot_id);
    }
    return text;
  }
};

std::set<uint32_t> Active(const v1::PlacementGroup& group) {
  std::set<uint32_t> active;
  for (const v1::Member& member : group.members()) {
    if (member.state() == v1::MEMBER_ACTIVE) active.insert(member.server());
  }
  return active;
}

template <typename Check>
void ForEverySituation(const Check& check) {
  const std::vector<Case> all = AllCases();
  for (const Case& a : all) {
    check(Situation({a}));
    for (const Case& b : all) {
      check(Situation({a, b}));
      for (const Case& c : all) check(Situation({a, b, c}));
    }
  }
}

// What the rules say, told without the code: who holds everything and is the process it was.
std::set<uint32_t> Trustworthy(const Situation& s) {
  std::set<uint32_t> servers;
  for (const v1::Member& member : s.group.members()) {
    const ServerView& view = s.View(member.server());
    if (member.state() == v1::MEMBER_ACTIVE && view.presence != Presence::kGone &&
        view.incarnation.value == kStoredIncarnation) {
      servers.insert(member.server());
    }
  }
  return servers;
}

TEST(RuleC2, ARestartedMemberIsNotActiveBesideOneThatWasNotRestarted) {
  ForEverySituation([](const Situation& s) {
    const std::set<uint32_t> trustworthy = Trustworthy(s);
    if (trustworthy.empty()) return;
    const v1::PlacementGroup after = s.Plan(s.group).value_or(s.group);
    EXPECT_EQ(Active(after), trustworthy) << s.Text();
    for (const uint32_t server : Active(after)) {
      EXPECT_EQ(FindMember(after, ServerId(server))->incarnation(), kStoredIncarnation);
    }
  });
}

TEST(RuleC2, ASyncingMemberNeverBecomesActiveByItself) {
  ForEverySituation([](const Situation& s) {
    const v1::PlacementGroup after = s.Plan(s.group).value_or(s.group);
    for (const uint32_t server : Active(after)) {
      EXPECT_TRUE(Active(s.group).contains(server)) << s.Text();
    }
  });
}

TEST(RuleC3, WithNobodyLeftTheSourceIsOneWithItsPageCacheOrAllMustBeBack) {
  ForEverySituation([](const Situation& s) {
    if (!Trustworthy(s).empty()) return;
    std::set<uint32_t> with_page_cache;
    bool all_back = !Active(s.group).empty();
    for (const uint32_t server : Active(s.group)) {
      const bool alive = s.View(server).presence == Presence::kAlive;
      if (alive && s.View(server).boot_id == "old") with_page_cache.insert(server);
      all_back = all_back && alive;
    }
    const auto next = s.Plan(s.group);
    if (with_page_cache.empty() && !all_back) {
      EXPECT_FALSE(next.has_value()) << s.Text();
      return;
    }
    ASSERT_TRUE(next.has_value()) << s.Text();
    const std::set<uint32_t> active = Active(*next);
    ASSERT_EQ(active.size(), 1u) << s.Text();
    const uint32_t source = *active.begin();
    if (!with_page_cache.empty()) {
      EXPECT_TRUE(with_page_cache.contains(source)) << s.Text();
    } else {
      EXPECT_EQ(source, *Active(s.group).begin()) << s.Text();
    }
    EXPECT_EQ(FindMember(*next, ServerId(source))->incarnation(), kStoredIncarnation + 1);
    EXPECT_EQ(FindMember(*next, ServerId(source))->boot_id(), s.View(source).boot_id);
  });
}

TEST(RuleC3, PowerIsLostIfTheSourceHasLostItAndNotOtherwise) {
  ForEverySituation([](const Situation& s) {
    const auto next = s.Plan(s.group);
    if (!next) return;
    bool all_rebooted = Trustworthy(s).empty();
    for (const uint32_t server : Active(s.group)) {
      all_rebooted = all_rebooted && s.View(server).boot_id == "new";
    }
    EXPECT_EQ(next->power_lost_epoch(), all_rebooted ? next->epoch() : 0) << s.Text();
  });
}

// One copy is enough to lose: there is nobody else who could have kept anything.
TEST(RuleC3, AGroupOfOneActiveCopyLosesPowerWithIt) {
  Situation s({{v1::MEMBER_ACTIVE, Presence::kAlive, Start::kRebooted},
               {v1::MEMBER_SYNCING, Presence::kAlive, Start::kSame}});
  const auto next = s.Plan(s.group);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->power_lost_epoch(), next->epoch());
  // A server that cannot tell its boot may have lost its page cache.
  s.views[0].boot_id = "";
  EXPECT_EQ(s.Plan(s.group)->power_lost_epoch(), s.group.epoch() + 1);
  s.views[0].boot_id = "old";
  EXPECT_EQ(s.Plan(s.group)->power_lost_epoch(), 0u);
}

TEST(RuleC3, ALossOfPowerIsRememberedInLaterEpochsAndMovesWithTheNextOne) {
  const Case rebooted = {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kRebooted};
  Situation s({rebooted, rebooted});
  v1::PlacementGroup group = *s.Plan(s.group);
  ASSERT_EQ(group.power_lost_epoch(), 11u);
  group = PlanActivation(group, ServerId(2), s.View(2));
  Activate(group);
  EXPECT_EQ(group.power_lost_epoch(), 11u);
  s.views[0].presence = Presence::kGone;
  group = *s.Plan(group);
  EXPECT_EQ(group.epoch(), 13u);
  EXPECT_EQ(group.power_lost_epoch(), 11u);
  Activate(group);
  s.views[1].incarnation = Incarnation(kStoredIncarnation + 2);  // killed: its page cache survived
  group = *s.Plan(group);
  EXPECT_EQ(group.power_lost_epoch(), 11u);
  s.views[1].incarnation = Incarnation(kStoredIncarnation + 3);
  s.views[1].boot_id = "newer";
  group = *s.Plan(group);
  EXPECT_EQ(group.epoch(), 15u);
  EXPECT_EQ(group.power_lost_epoch(), 15u);
}

// All servers were restarted; the last of the three never comes back.
TEST(RuleC3, AfterARestartOfAllTheGroupStartsAgainFromOneThatIsThere) {
  const Case back = {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kRestarted};
  Situation s({back, back, {v1::MEMBER_ACTIVE, Presence::kQuiet, Start::kSame}});
  const auto alone = s.Plan(s.group);  // it may be up still
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(Active(*alone), std::set<uint32_t>{3});
  EXPECT_FALSE(IsActivated(*alone));
  s.views[2].presence = Presence::kGone;
  const auto next = s.Plan(*alone);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(Active(*next), std::set<uint32_t>{1});
}

// 1 fell silent, 2 alone was planned and died before it could record that it serves.
TEST(RuleC3, AnEpochThatWasNeverActivatedLeavesItsPredecessorsAsSources) {
  Situation s({{v1::MEMBER_ACTIVE, Presence::kGone, Start::kSame},
               {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kSame}});
  const auto without_first = s.Plan(s.group);
  ASSERT_TRUE(without_first.has_value());
  EXPECT_EQ(Active(*without_first), std::set<uint32_t>{2});
  s.views[0].presence = Presence::kAlive;
  s.views[1].presence = Presence::kGone;
  const auto next = s.Plan(*without_first);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(Active(*next), std::set<uint32_t>{1});
}

TEST(RuleC3, AnEpochThatWasActivatedShutsOutThoseBefore) {
  Situation s({{v1::MEMBER_ACTIVE, Presence::kGone, Start::kSame},
               {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kSame}});
  std::optional<v1::PlacementGroup> without_first = s.Plan(s.group);
  ASSERT_TRUE(without_first.has_value());
  Activate(*without_first);
  s.views[0].presence = Presence::kAlive;
  s.views[1].presence = Presence::kGone;
  EXPECT_FALSE(s.Plan(*without_first).has_value());
}

TEST(RuleC3, TheLastActiveMembersAreNeverForgotten) {
  ForEverySituation([](const Situation& s) {
    const v1::PlacementGroup after = s.Plan(s.group).value_or(s.group);
    if (Active(s.group).empty()) return;
    EXPECT_FALSE(Active(after).empty()) << s.Text();
  });
}

TEST(PlanMembers, EveryChangeIsOneEpochAndPlanningAgainChangesNothing) {
  ForEverySituation([](const Situation& s) {
    const auto next = s.Plan(s.group);
    if (!next) return;
    EXPECT_EQ(next->epoch(), s.group.epoch() + 1);
    EXPECT_NE(Active(*next), std::set<uint32_t>()) << s.Text();
    EXPECT_FALSE(s.Plan(*next).has_value()) << s.Text();
    for (const v1::Member& member : next->members()) {
      if (member.state() == v1::MEMBER_ACTIVE) continue;
      EXPECT_EQ(member.incarnation(), 0u);
      EXPECT_EQ(member.boot_id(), "");
    }
  });
}

TEST(PlanMembers, AQuietMemberStaysBecauseItsLeaseMayStillRun) {
  const Situation s({{v1::MEMBER_ACTIVE, Presence::kQuiet, Start::kSame},
                     {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kSame}});
  EXPECT_FALSE(s.Plan(s.group).has_value());
}

TEST(PlanMembers, TheFirstActiveMemberIsThePrimary) {
  const Situation s({{v1::MEMBER_SYNCING, Presence::kAlive, Start::kSame},
                     {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kSame},
                     {v1::MEMBER_ACTIVE, Presence::kAlive, Start::kSame}});
  EXPECT_EQ(PrimaryOf(s.group)->server(), 2u);
}

TEST(RuleC4, ActivationRecordsTheProcessThatWasSynced) {
  const Situation s({{v1::MEMBER_ACTIVE, Presence::kAlive, Start::kSame},
                     {v1::MEMBER_SYNCING, Presence::kAlive, Start::kSame}});
  const v1::PlacementGroup next = PlanActivation(s.group, ServerId(2), s.View(2));
  EXPECT_EQ(Active(next), (std::set<uint32_t>{1, 2}));
  EXPECT_EQ(next.members(1).incarnation(), kStoredIncarnation);
  EXPECT_EQ(next.members(1).boot_id(), "old");
  EXPECT_EQ(next.epoch(), 11u);
}

}  // namespace
}  // namespace cairn
