#include "fuse_client/directory_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mock_file_system.h"

namespace cairn::fuse {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::NiceMock;

class DirectoryStreamTest : public ::testing::Test {
 protected:
  DirectoryStreamTest() {
    ON_CALL(files_, ReadDirectory)
        .WillByDefault([this](auto&, InodeId, uint64_t cookie, auto, bool) {
          ++fetches_;
          std::vector<DirectoryItem> after;
          for (const DirectoryItem& item : entries_) {
            if (item.cookie > cookie) after.push_back(item);
          }
          return Result<std::vector<DirectoryItem>>(after);
        });
  }

  void Entry(const char* name, uint64_t cookie) {
    DirectoryItem item;
    item.name = name;
    item.cookie = cookie;
    entries_.push_back(item);
  }

  // As the kernel does: reads with room for `room` entries a time until nothing comes.
  std::vector<std::string> ReadAll(size_t room) {
    std::vector<std::string> names;
    uint64_t offset = 0;
    for (bool more = true; more;) {
      size_t taken = 0;
      auto take = [&](const DirectoryItem& item) {
        if (taken == room) return false;
        names.push_back(item.name);
        offset = item.cookie;
        ++taken;
        return true;
      };
      EXPECT_TRUE(stream_.ReadFrom(files_, {}, offset, false, take).ok());
      more = taken > 0;
    }
    return names;
  }

  NiceMock<MockFileSystem> files_;
  std::vector<DirectoryItem> entries_;
  int fetches_ = 0;
  DirectoryStream stream_{InodeId{7}};
};

TEST_F(DirectoryStreamTest, TellsEveryEntryOnceWhateverTheRoom) {
  Entry("a", 10);
  Entry("b", 20);
  Entry("c", 30);
  for (size_t room : {1u, 2u, 3u, 100u}) {
    EXPECT_THAT(ReadAll(room), ElementsAre(".", "..", "a", "b", "c")) << room;
  }
}

TEST_F(DirectoryStreamTest, NamesThatShareACookieAreNotLostAtTheEndOfTheBuffer) {
  Entry("a", 10);
  Entry("twin one", 20);
  Entry("twin two", 20);
  Entry("z", 30);
  EXPECT_THAT(ReadAll(1), ElementsAre(".", "..", "a", "twin one", "twin two", "z"));
}

TEST_F(DirectoryStreamTest, ReadsABatchOnceHoweverSmallTheBuffer) {
  for (uint64_t i = 0; i < 50; ++i) Entry("x", 10 + i);
  ReadAll(1);
  EXPECT_EQ(fetches_, 2);  // the batch, and the look past its end
}

TEST_F(DirectoryStreamTest, AnEmptyDirectoryHasOnlyItsDots) {
  EXPECT_THAT(ReadAll(8), ElementsAre(".", ".."));
}

}  // namespace
}  // namespace cairn::fuse
