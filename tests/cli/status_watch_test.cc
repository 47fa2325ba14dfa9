// 'cairn status --watch'.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class StatusWatchTest : public FleetTest {
 protected:
  // Interrupts when the leader is asked for the n-th time.
  void InterruptAt(int look) {
    group_.on_status = [look, looks = 0](FakeMember& member) mutable {
      if (member.id == kLeader && ++looks == look) std::raise(SIGINT);
    };
  }
  int Count(const std::string& part) const {
    int count = 0;
    for (size_t at = 0; (at = out_.str().find(part, at)) != std::string::npos; ++at) ++count;
    return count;
  }
};

TEST_F(StatusWatchTest, OnAPipeEachPictureIsABlock) {
  InterruptAt(2);
  EXPECT_EQ(Ask({"status", "--watch"}), 130) << err_.str();
  EXPECT_EQ(Count("cluster c "), 2);
  EXPECT_THAT(out_.str(), HasSubstr("\n\ncluster c "));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
}

TEST_F(StatusWatchTest, ATerminalIsRedrawnInPlace) {
  InterruptAt(2);
  EXPECT_EQ(Ask({"status", "--watch", "--every", "1"}, true), 130) << err_.str();
  EXPECT_EQ(Count("\x1b[H\x1b[J"
                  "cluster c "),
            2);
}

TEST_F(StatusWatchTest, JsonIsOneObjectPerLine) {
  InterruptAt(2);
  EXPECT_EQ(Ask({"status", "--watch", "--json"}, true), 130) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("{\"cluster_id\":\"c\""));
  EXPECT_EQ(Count("\n"), 2);
  EXPECT_EQ(Count("}\n{"), 1);
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
}

TEST_F(StatusWatchTest, AnOutageIsAPictureToo) {
  for (int number = 1; number <= 3; ++number) group_.Stop(number);
  out_.When("{\"error\"", [] { std::raise(SIGINT); });
  EXPECT_EQ(Ask({"status", "--watch", "--json"}), 130);
  EXPECT_THAT(out_.str(), StartsWith("{\"error\":\"no metaserver answers: "));
}

TEST_F(StatusWatchTest, EveryNeedsWatch) {
  EXPECT_EQ(Ask({"status", "--every", "2"}), 2);
  EXPECT_EQ(Ask({"status", "--watch", "--every", "0"}), 2);
}

}  // namespace
}  // namespace cairn
