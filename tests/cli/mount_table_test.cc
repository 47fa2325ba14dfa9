#include "cli/mount_table.h"

#include <gmock/gmock.h>

#include "tests/cli/scratch_directory.h"

namespace cairn {
namespace {

constexpr char kMountInfo[] =
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "30 22 0:44 / /mnt/a rw shared:1 master:2 - fuse.cairn cairn rw,user_id=0\n"
    "31 22 0:45 / /mnt/with\\040blank rw - fuse.cairn cairn rw\n"
    "32 30 0:46 / /mnt/a rw - tmpfs tmpfs rw\n"
    "garbage\n";

TEST(MountInfoTest, ReadsTypeAndUnescapesPaths) {
  const auto mounts = ParseMountInfo(kMountInfo);
  ASSERT_EQ(mounts.size(), 4u);
  EXPECT_EQ(mounts[1].type, kCairnMountType);
  EXPECT_EQ(mounts[2].mount_point, "/mnt/with blank");
}

TEST(MountInfoTest, FindsTheLongestAndTopmostMount) {
  const auto mounts = ParseMountInfo(kMountInfo);
  EXPECT_EQ(MountOf(mounts, "/mnt/ab")->mount_point, "/");
  EXPECT_EQ(MountOf(mounts, "/mnt/with blank/x/y")->mount_point, "/mnt/with blank");
  EXPECT_EQ(MountOf(mounts, "/mnt/a/file")->type, "tmpfs");
  EXPECT_EQ(MountAt(mounts, "/mnt/a/file"), nullptr);
  EXPECT_NE(MountAt(mounts, "/mnt/a"), nullptr);
}

TEST(MountWordTest, CommasAndBackslashesSurvive) {
  EXPECT_EQ(EscapeMountWord("/a,b\\c"), "/a\\,b\\\\c");
  for (const char* word : {"/plain", "/a,b", "\\", ",", "\\,\\"}) {
    const std::string escaped = EscapeMountWord(word);
    EXPECT_EQ(SplitMountWords(escaped), std::vector<std::string>{word});
    EXPECT_EQ(SplitMountWords(escaped + ",next"), (std::vector<std::string>{word, "next"}));
  }
}

TEST(MountAnswersTest, TellsAPathThatAnswersFromOneThatDoesNot) {
  ScratchDirectory scratch;
  EXPECT_TRUE(MountAnswers(scratch.path(), std::chrono::seconds(10)));
  EXPECT_FALSE(MountAnswers(scratch.path() + "/absent", std::chrono::seconds(10)));
}

}  // namespace
}  // namespace cairn
