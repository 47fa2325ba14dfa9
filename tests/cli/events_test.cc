// 'cairn events'.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class EventsTest : public FleetTest {
 protected:
  static void Happen(FakeMember& member, const std::string& text) {
    v1::EventRecord& event = *member.events.add_events();
    event.set_sequence(static_cast<uint64_t>(member.events.events_size()));
    event.mutable_time()->set_seconds(1000000000);
    event.set_severity("warning");
    event.set_code("COPIES_MISSING");
    event.set_subject("chunkserver 3");
    event.set_text(text);
  }
  void Happen(const std::string& text) {
    group_.Change(kLeader, [&](FakeMember& member) { Happen(member, text); });
  }
};

TEST_F(EventsTest, AreATableOldestFirst) {
  Happen("first");
  Happen("second");
  EXPECT_EQ(Ask({"events"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("TIME                 SEVERITY  CODE"));
  EXPECT_THAT(out_.str(), HasSubstr("  warning   COPIES_MISSING  chunkserver 3  first\n2001-09-"));
  EXPECT_EQ(Ask({"events", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("[{\"sequence\":\"1\",\"time\":{\"seconds\":\"1000000000\""));
}

TEST_F(EventsTest, LimitKeepsTheNewest) {
  for (const char* text : {"first", "second", "third"}) Happen(text);
  EXPECT_EQ(Ask({"events", "--limit", "2"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("first")));
  EXPECT_THAT(out_.str(), HasSubstr("second"));
  EXPECT_THAT(out_.str(), HasSubstr("third"));
  EXPECT_EQ(Ask({"events", "--limit", "0"}), 2);
}

TEST_F(EventsTest, WithoutALeaderAnybodyTells) {
  group_.Change(1, [](FakeMember& member) {
    Happen(member, "first");
    member.says.set_applied_index(200);
  });
  LoseLeader();
  EXPECT_EQ(Ask({"events"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("first"));
}

TEST_F(EventsTest, FollowTellsEachOnceUntilItIsInterrupted) {
  for (const char* text : {"first", "second"}) Happen(text);
  out_.When("second", [this] { Happen("third"); });
  out_.When("third", [] { std::raise(SIGINT); });
  EXPECT_EQ(Ask({"events", "--follow", "--limit", "1", "--json"}), 130) << err_.str();
  EXPECT_THAT(out_.str(), Not(HasSubstr("first")));
  EXPECT_THAT(out_.str(), testing::MatchesRegex("\\{[^\n]*\"second\"\\}\n\\{[^\n]*\"third\"\\}\n"));
}

}  // namespace
}  // namespace cairn
