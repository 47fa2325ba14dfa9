// 'cairn fsck'.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FsckTest : public FleetTest {
 protected:
  // Pages of 100 inodes up to `pages_`; findings_ are in the page of their inode.
  FsckTest() {
    group_.on_check_chunks = [this](const v1::CheckChunksRequest& request) {
      return Answer(request);
    };
  }
  Result<v1::CheckChunksResponse> Answer(const v1::CheckChunksRequest& request) {
    asked_.push_back(request.after_inode());
    repair_ = request.repair();
    if (!error_.ok() && request.after_inode() > 0) return Fail(error_);
    v1::CheckChunksResponse page;
    page.set_next_inode(request.after_inode() + 100);
    page.set_end(page.next_inode() >= pages_ * 100);
    page.set_chunks_seen(7);
    for (v1::ChunkFinding finding : findings_) {
      if (finding.inode() <= request.after_inode() || finding.inode() > page.next_inode()) continue;
      finding.set_set_aside(repair_ && finding.code() == "ORPHAN" && !busy_);
      *page.add_findings() = finding;
    }
    for (const uint32_t server : silent_) page.add_silent_servers(server);
    return page;
  }
  void Find(const std::string& code, uint64_t inode, uint64_t bytes = 0,
            const std::string& path = "") {
    v1::ChunkFinding& finding = findings_.emplace_back();
    finding.set_code(code);
    finding.set_inode(inode);
    finding.set_index(3);
    finding.set_server(2);
    finding.set_group(11);
    finding.set_bytes(bytes);
    finding.set_path(path);
  }

  uint64_t pages_ = 1;
  std::vector<v1::ChunkFinding> findings_;
  std::vector<uint32_t> silent_;
  bool busy_ = false;
  Status error_;
  std::vector<uint64_t> asked_;
  bool repair_ = false;
};

TEST_F(FsckTest, ACleanClusterIsZeroAndNothingFound) {
  EXPECT_EQ(Ask({"fsck"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "7 stored chunks looked at: nothing found\n");
  EXPECT_FALSE(repair_);
}

TEST_F(FsckTest, GoesThroughAllPages) {
  pages_ = 3;
  EXPECT_EQ(Ask({"fsck"}), 0) << err_.str();
  EXPECT_THAT(asked_, ElementsAre(0, 100, 200));
  EXPECT_THAT(out_.str(), HasSubstr("\n21 stored chunks looked at: nothing found\n"));
}

TEST_F(FsckTest, WhatIsWrongIsATableAndSeven) {
  Find("ORPHAN", 5, 8192);
  Find("MISSING", 150, 0, "/a/b");
  pages_ = 2;
  EXPECT_EQ(Ask({"fsck"}), 7) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("CODE     CHUNK  SERVER  GROUP  BYTES    DONE  PATH\n"
                                    "ORPHAN   5/3    2       11     8.0 KiB  -     -\n"
                                    "MISSING  150/3  2       11     -        -     /a/b\n"
                                    "14 stored chunks looked at: 1 MISSING, 1 ORPHAN (8.0 KiB)\n"
                                    "--repair sets ORPHAN chunks aside"));
}

TEST_F(FsckTest, WithRepairWhatIsSetAsideIsWrongNoMore) {
  Find("ORPHAN", 5, 4096);
  EXPECT_EQ(Ask({"fsck", "--repair"}), 0) << err_.str();
  EXPECT_TRUE(repair_);
  EXPECT_THAT(out_.str(), HasSubstr("set aside  -\n"));
  EXPECT_THAT(out_.str(), HasSubstr(": 1 ORPHAN (4.0 KiB, 1 set aside)\n"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("--repair")));
  busy_ = true;
  EXPECT_EQ(Ask({"fsck", "--repair"}), 7);
}

TEST_F(FsckTest, SurplusAloneIsNothingToActOn) {
  Find("SURPLUS", 5, 4096, "/a");
  EXPECT_EQ(Ask({"fsck"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr(": 1 SURPLUS (4.0 KiB)\n"));
}

TEST_F(FsckTest, SilentServersAreNamedOnceAndSeven) {
  silent_ = {3, 9};
  pages_ = 2;
  EXPECT_EQ(Ask({"fsck"}), 7);
  EXPECT_THAT(out_.str(), HasSubstr("\nchunkserver 3 did not answer: what it stores was not looked "
                                    "at\nchunkserver 9 did not answer: what it stores was not "
                                    "looked at\n14 stored chunks looked at: nothing found\n"));
}

TEST_F(FsckTest, JsonIsOneDocument) {
  Find("DAMAGED", 150, 0, "/a");
  silent_ = {3};
  pages_ = 2;
  EXPECT_EQ(Ask({"fsck", "--json"}), 7);
  EXPECT_EQ(out_.str(),
            "{\"findings\":[{\"inode\":\"150\",\"index\":3,\"group\":11,\"server\":2,"
            "\"code\":\"DAMAGED\",\"bytes\":\"0\",\"path\":\"/a\",\"set_aside\":false,"
            "\"and_more\":false}],"
            "\"next_inode\":\"200\",\"end\":true,\"chunks_seen\":\"14\",\"silent_servers\":[3]}\n");
}

TEST_F(FsckTest, AnErrorInTheMiddleTellsWhatWasFoundBefore) {
  Find("ORPHAN", 5, 4096);
  pages_ = 2;
  error_ = Status(ErrorCode::kInternal, "the rows cannot be read");
  EXPECT_EQ(Ask({"fsck"}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("ORPHAN  5/3"));
  EXPECT_THAT(err_.str(), HasSubstr("the rows cannot be read"));
}

TEST_F(FsckTest, CtrlCEndsItAfterThePage) {
  pages_ = 1000;
  out_.When("up to inode 100", [] { std::raise(SIGINT); });
  EXPECT_EQ(Ask({"fsck"}), 130);
  EXPECT_THAT(err_.str(), HasSubstr("interrupted after inode 100"));
  EXPECT_THAT(asked_, ElementsAre(0));
}

TEST_F(FsckTest, WithoutALeaderItSaysSo) {
  group_.Stop(1);
  group_.Stop(2);
  group_.Stop(3);
  EXPECT_EQ(Ask({"fsck"}), 5);
}

}  // namespace
}  // namespace cairn
