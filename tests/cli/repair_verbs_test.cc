// 'cairn repair ...', and what status tells of a repair.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

class RepairVerbsTest : public FleetTest {
 protected:
  void SetUnderWay(v1::RepairRecord& repair) {
    repair.mutable_started()->set_seconds(1000000000);
    repair.set_total_bytes(4 << 20);
    repair.set_done_bytes(1 << 20);
    repair.set_groups_total(40);
    repair.set_groups_left(30);
    repair.set_bytes_per_second(1 << 20);
    repair.set_seconds_left(3);
    repair.set_last_copy_bytes(2 << 20);
  }
  void AddGroups(int count) {
    group_.Change(kLeader, [&](FakeMember& member) {
      for (int i = 1; i <= count; ++i) {
        v1::GroupRepair& group = *member.repair.add_groups();
        group.set_group(static_cast<uint32_t>(100 + i));
        group.set_active(i == 1 ? 1 : 2);
        group.set_wanted(3);
        group.set_bytes(1 << 20);
        group.set_waits("no copy is up");
      }
    });
  }
};

TEST_F(RepairVerbsTest, LsTellsTheRecordAndTheGroups) {
  AddGroups(2);
  group_.Change(kLeader, [&](FakeMember& member) {
    SetUnderWay(*member.repair.mutable_repair());
    v1::GroupRepair& moving = *member.repair.mutable_groups(1);
    moving.clear_waits();
    moving.set_member(4);
    moving.set_total_bytes(100);
    moving.set_done_bytes(30);
  });
  EXPECT_EQ(Ask({"repair", "ls"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("REPAIR since 2001-09-"));
  EXPECT_THAT(out_.str(), HasSubstr("[#####---------------] 25 %, 3.0 MiB left, 1.0 MiB/s, "
                                    "about 3 s, 30 of 40 groups left\n"));
  EXPECT_THAT(out_.str(), HasSubstr("lost if one more fails: 2.0 MiB\n"));
  EXPECT_THAT(out_.str(), HasSubstr("done: 1.0 MiB of 4.0 MiB\n"));
  EXPECT_THAT(out_.str(), HasSubstr("GROUP  COPIES  BYTES    TO        PROGRESS\n"));
  EXPECT_THAT(out_.str(), HasSubstr("101    1/3     1.0 MiB  -         no copy is up\n"));
  EXPECT_THAT(out_.str(), HasSubstr("102    2/3     1.0 MiB  server 4  30 %\n"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("without a leader")));
}

TEST_F(RepairVerbsTest, LsShowsTwentyGroupsAndAllWhenAsked) {
  AddGroups(25);
  EXPECT_EQ(Ask({"repair", "ls"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\n120 "));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\n121 ")));
  EXPECT_THAT(out_.str(), HasSubstr("and 5 more (--all)\n"));
  EXPECT_EQ(Ask({"repair", "ls", "--all"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\n125 "));
  EXPECT_THAT(out_.str(), Not(HasSubstr("more")));
  EXPECT_EQ(Ask({"repair", "ls", "--json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"group\":125"));
  EXPECT_THAT(out_.str(), HasSubstr(",\"from_leader\":true}\n"));
}

TEST_F(RepairVerbsTest, LsTellsTheLastRepairAndThatThereWasNone) {
  EXPECT_EQ(Ask({"repair", "ls"}), 0);
  EXPECT_EQ(out_.str(), "no repair is under way, and there was none\n");
  group_.Change(kLeader, [&](FakeMember& member) {
    SetUnderWay(*member.repair.mutable_repair());
    member.repair.mutable_repair()->mutable_ended()->set_seconds(1000000300);
    member.repair.mutable_repair()->set_done_bytes(3 << 20);
  });
  EXPECT_EQ(Ask({"repair", "ls"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("no repair is under way; the last: 2001-09-"));
  EXPECT_THAT(out_.str(), HasSubstr(", 40 groups, 3.0 MiB brought up to date\n"));
}

TEST_F(RepairVerbsTest, LsWithoutALeaderTellsTheRecordWithinTwoSeconds) {
  group_.Change(1, [&](FakeMember& member) { SetUnderWay(*member.repair.mutable_repair()); });
  group_.Change(3, [&](FakeMember& member) { member.says.set_applied_index(90); });
  LoseLeader();
  const Deadline limit = Deadline::After(2900ms);
  EXPECT_EQ(Ask({"repair", "ls"}), 0) << err_.str();
  EXPECT_FALSE(limit.Passed());
  EXPECT_THAT(out_.str(), HasSubstr("30 of 40 groups left"));
  EXPECT_THAT(out_.str(), HasSubstr("not known without a leader"));
}

TEST_F(RepairVerbsTest, StatusTellsARepairOnlyWhileItIsUnderWay) {
  EXPECT_EQ(Ask({"status"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("REPAIR")));
  group_.Change(kLeader, [&](FakeMember& member) { SetUnderWay(*member.status.mutable_repair()); });
  EXPECT_EQ(Ask({"status"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\nREPAIR since 2001-09-"));
  EXPECT_THAT(out_.str(), HasSubstr("\n[#####---------------] 25 %, "));
  EXPECT_THAT(out_.str(), HasSubstr("\nlost if one more fails: 2.0 MiB\n"));
}

TEST_F(RepairVerbsTest, ThrottleShowsTheRateThatIsSet) {
  EXPECT_EQ(Ask({"repair", "throttle"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "while clients use a server it copies at most at the default rate\n");
  group_.Change(kLeader, [](FakeMember& member) {
    member.repair.mutable_settings()->set_copy_bytes_per_second(50 << 20);
  });
  EXPECT_EQ(Ask({"repair", "throttle"}), 0);
  EXPECT_EQ(out_.str(), "while clients use a server it copies at most 50.0 MiB/s\n");
  EXPECT_EQ(Ask({"repair", "throttle", "--json"}), 0);
  EXPECT_EQ(out_.str(), "{\"copy_bytes_per_second\":\"52428800\",\"scrub_seconds\":\"0\"}\n");
}

TEST_F(RepairVerbsTest, ThrottleSetsTheRateAndKeepsOtherSettings) {
  v1::Settings before;  // with a field that this client does not know
  ASSERT_TRUE(before.ParseFromString("\x08\x01\xF8\x06\x07"));
  group_.Change(kLeader, [&](FakeMember& member) { *member.repair.mutable_settings() = before; });
  v1::SetSettingsRequest asked;
  group_.on_set_settings = [&](const auto& request) {
    asked = request;
    return OkStatus();
  };
  EXPECT_EQ(Ask({"repair", "throttle", "1G"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "while clients use a server it copies at most 1.0 GiB/s\n");
  EXPECT_EQ(asked.settings().copy_bytes_per_second(), 1u << 30);
  EXPECT_THAT(asked.settings().SerializeAsString(), testing::EndsWith("\xF8\x06\x07"));
  EXPECT_EQ(Ask({"repair", "throttle", "default"}), 0);
  EXPECT_EQ(asked.settings().copy_bytes_per_second(), 0u);
}

TEST_F(RepairVerbsTest, ThrottleRefusesWhatIsNoRateBeforeItAsks) {
  group_.on_set_settings = [](const auto&) {
    ADD_FAILURE() << "asked";
    return OkStatus();
  };
  for (const char* rate : {"50", "0M", "fast"}) EXPECT_EQ(Ask({"repair", "throttle", rate}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("'fast' is no rate"));
}

TEST_F(RepairVerbsTest, NowSkipsTheGraceOfOneServerOrOfAll) {
  std::vector<uint32_t> asked;
  group_.on_skip_grace = [&](const v1::SkipGraceRequest& request) {
    asked.push_back(request.server());
    return request.server() == 9 ? Status(ErrorCode::kNotFound, "there is no server 9")
                                 : OkStatus();
  };
  EXPECT_EQ(Ask({"repair", "now"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "nobody waits any longer for servers that are away\n");
  EXPECT_EQ(Ask({"repair", "now", "--server", "3"}), 0);
  EXPECT_EQ(out_.str(), "nobody waits any longer for server 3 while it is away\n");
  EXPECT_EQ(Ask({"repair", "now", "--server", "3", "--json"}), 0);
  EXPECT_EQ(out_.str(), "{\"server\":3}\n");
  EXPECT_EQ(Ask({"repair", "now", "--server", "9"}), 3);
  EXPECT_THAT(asked, testing::ElementsAre(0, 3, 3, 9));
  EXPECT_EQ(Ask({"repair", "now", "--server", "0"}), 2);
}

}  // namespace
}  // namespace cairn
