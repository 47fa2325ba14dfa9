// 'cairn layout': what is refused before a cluster is asked. tests/cluster/layout_test.py has a
// mount.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;

class LayoutVerbsTest : public FleetTest {
 protected:
  int Set(std::vector<std::string> words) {
    words.insert(words.begin(), {"layout", "set", scratch_.path()});
    return Ask(std::move(words));
  }
};

TEST_F(LayoutVerbsTest, AChunkSizeIsAPowerOfTwoFrom1To64MiB) {
  for (const char* size : {"3M", "512K", "128M", "1G"}) {
    EXPECT_EQ(Set({"--chunk-size", size}), 2) << size;
    EXPECT_THAT(err_.str(), HasSubstr("a power of two from 1M to 64M")) << size;
  }
  EXPECT_EQ(Set({"--chunk-size", "16"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("'16' is no size"));
}

TEST_F(LayoutVerbsTest, SomethingIsSetOrAllIsInherited) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"--inherit", "--copies", "2"}, {"--inherit", "--chunk-size", "1M"}}) {
    EXPECT_EQ(Set(words), 2);
    EXPECT_THAT(err_.str(), HasSubstr("--inherit alone"));
  }
  EXPECT_EQ(Set({"--copies", "0"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("--copies"));
}

TEST_F(LayoutVerbsTest, APathThatIsNotBelowAMountIsNamed) {
  EXPECT_EQ(Set({"--copies", "2"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr(scratch_.path() + " is not on a Cairn mount"));
  EXPECT_EQ(Ask({"layout", "show", scratch_.path()}), 2);
  EXPECT_EQ(Ask({"layout", "show", scratch_.path() + "/absent"}), 3);
}

}  // namespace
}  // namespace cairn
