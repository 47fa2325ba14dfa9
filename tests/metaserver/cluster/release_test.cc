#include "metaserver/cluster/release.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using ::testing::HasSubstr;

class ReleaseTest : public ClusterFixture {
 protected:
  Release Plan(uint32_t server) { return PlanRelease(*Map(), *registry_, ServerId(server)); }
  void SayUsage(uint32_t server, uint64_t bytes_of_each) {
    v1::HeartbeatRequest request;
    request.set_server(server);
    request.set_incarnation(servers_[server].incarnation);
    for (const auto& [id, group] : Map()->groups) {
      v1::GroupUsage& usage = *request.add_usage();
      usage.set_group(id.value);
      usage.set_bytes(bytes_of_each);
    }
    ASSERT_THAT(membership_->Heartbeat(request), IsOk());
  }
};
using RuleC3Release = ReleaseTest;

TEST_F(ReleaseTest, GroupsWithOtherCopiesLetGoOfIt) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  const Release release = Plan(2);
  EXPECT_EQ(release.command.update_groups().groups_size(), Groups());
  EXPECT_EQ(release.needed.groups, 0u);
}

TEST_F(RuleC3Release, ALastCopyIsNeededAndItsBytesAreThoseThatWereToldLast) {
  Build(1, 1);
  SayUsage(1, 1 << 20);
  Kill(1);
  Pass(60s);
  const Release release = Plan(1);
  EXPECT_FALSE(release.command.has_update_groups());
  EXPECT_EQ(release.needed.groups, 64u);
  EXPECT_EQ(release.needed.bytes, 64u << 20);
  EXPECT_THAT(release.needed.Text(ServerId(1)), HasSubstr("64 placement groups (64.0 MiB"));
  EXPECT_THAT(release.needed.Text(ServerId(1)), HasSubstr("--give-up 64"));
}

TEST_F(ReleaseTest, AServerOfNoGroupIsNeededByNobody) {
  Build(1, 1);
  const Release release = Plan(9);
  EXPECT_FALSE(release.command.has_update_groups());
  EXPECT_EQ(release.needed.groups, 0u);
}

}  // namespace
}  // namespace cairn
