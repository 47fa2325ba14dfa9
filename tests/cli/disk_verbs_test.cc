// 'cairn disk ...', and 'cairn server ...' of chunkservers with several disks.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class DiskVerbsTest : public FleetTest {
 protected:
  // Chunkserver 3 with disks 3 and 4, and chunkserver 5 with one.
  DiskVerbsTest() {
    for (uint32_t id = 3; id <= 5; ++id) AddServer(id);
    for (uint32_t id = 3; id <= 5; ++id) {
      ChangeServerOf(id, [id](auto& disk) {
        disk.set_host(id < 5 ? "stone" : "rock");
        disk.set_chunkserver(id < 5 ? 3 : 5);
        disk.set_disk_uuid("uuid" + std::to_string(id));
        disk.set_damaged_chunks(id);
      });
    }
    group_.on_set_server = [this](const v1::SetServerRequest& request) {
      set_.push_back(request.server());
      ServerOf(group_.Peek(kLeader), request.server()).set_state(request.state());
      return OkStatus();
    };
    group_.on_remove_server = [this](const v1::RemoveServerRequest& request) {
      removed_.push_back(request.server());
      return OkStatus();
    };
  }
  void UseOf(uint32_t id, uint64_t percent) {
    ChangeServerOf(id, [&](auto& disk) {
      disk.set_total_bytes(uint64_t{100} << 30);
      disk.set_available_bytes((100 - percent) << 30);
    });
  }

  std::vector<uint32_t> set_;
  std::vector<uint32_t> removed_;
};

TEST_F(DiskVerbsTest, LsHasARowForEachDisk) {
  EXPECT_EQ(Ask({"disk", "ls"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("DISK  SERVER  STATE  HOST   RACK  SIZE      FREE     USED"));
  EXPECT_THAT(out_.str(),
              HasSubstr("4     3       up     stone  -     10.0 GiB  6.0 GiB  40 %  OK    4       "
                        "0           4        uuid4\n"));
  EXPECT_EQ(Word(out_.str(), 3, 1), "5");
}

TEST_F(DiskVerbsTest, LsNamesDisksThatAreFullOrAlmost) {
  UseOf(3, 84);
  UseOf(4, 96);
  UseOf(5, 100);
  EXPECT_EQ(Ask({"disk", "ls"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("84 %   OK  "));
  EXPECT_THAT(out_.str(), HasSubstr("96 %   NEAR_FULL  "));
  EXPECT_THAT(out_.str(), HasSubstr("100 %  FULL  "));
  ChangeServerOf(5, [](auto& disk) { disk.set_total_bytes(0); });
  EXPECT_EQ(Ask({"disk", "ls"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("rock   -     ?          ?"));
}

TEST_F(DiskVerbsTest, LsInJsonTellsAllOfIt) {
  EXPECT_EQ(Ask({"disk", "ls", "--json"}), 0);
  EXPECT_THAT(
      out_.str(),
      StartsWith("[{\"server\":3,\"chunkserver\":3,\"host\":\"stone\",\"rack\":\"\",\"up\":true,"
                 "\"server_state\":\"SERVER_IN_SERVICE\",\"total_bytes\":\"10737418240\","
                 "\"used_bytes\":\"4294967296\",\"available_bytes\":\"6442450944\","
                 "\"state\":\"OK\",\"groups\":4,\"bad_blocks\":\"0\",\"damaged_chunks\":3,"
                 "\"uuid\":\"uuid3\"},{\"server\":4,\"chunkserver\":3,"));
}

TEST_F(DiskVerbsTest, AChunkserverIsOneLineWithTheSumOfItsDisks) {
  EXPECT_EQ(Ask({"server", "ls"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("3       up     2      stone  -     10.0.0.3:7410  8.0 GiB  "
                                    "20.0 GiB  8       0        0      0\n"));
  EXPECT_EQ(Word(out_.str(), 2, 0), "5");
  ChangeServerOf(4, [](auto& disk) {
    disk.set_up(false);
    disk.set_silent_ms(9000);
  });
  ChangeServerOf(3, [](auto& disk) { disk.set_state(v1::SERVER_DRAINING); });
  EXPECT_EQ(Ask({"server", "ls"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("3       1 of 2 up, 1 draining  2      stone"));
  EXPECT_EQ(Ask({"server", "ls", "--json"}), 0);  // as the status has them: each disk
  EXPECT_THAT(out_.str(), HasSubstr("\"server\":4,"));
}

TEST_F(DiskVerbsTest, ShowTellsSumsAndDisks) {
  EXPECT_EQ(Ask({"server", "show", "3"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("disks       2\n"));
  EXPECT_THAT(out_.str(), HasSubstr("room        8.0 GiB of 20.0 GiB used (40 %)\n"));
  EXPECT_THAT(out_.str(), HasSubstr("\n4     3       up"));
  EXPECT_THAT(out_.str(), testing::Not(HasSubstr("rock")));
  EXPECT_EQ(Ask({"server", "show", "3", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"server\":3,"));
  EXPECT_THAT(out_.str(), HasSubstr(",\"disks\":[{\"server\":3,"));
  EXPECT_EQ(Ask({"server", "show", "4"}), 3);
  EXPECT_EQ(err_.str(),
            "cairn: there is no server 4: it is a disk of server 3, see 'cairn disk'\n");
}

TEST_F(DiskVerbsTest, ChangesOfAServerAreOfAllItsDisksAndThoseOfADiskOfNoOther) {
  EXPECT_EQ(Ask({"server", "drain", "3"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "server 3 is draining\n");
  EXPECT_THAT(std::exchange(set_, {}), ElementsAre(3, 4));
  EXPECT_EQ(Ask({"server", "undrain", "3", "--json"}), 0);
  EXPECT_THAT(std::exchange(set_, {}), ElementsAre(3, 4));
  const std::string requests = out_.str();
  EXPECT_EQ(std::count(requests.begin(), requests.end(), '\n'), 2);
  EXPECT_EQ(Ask({"server", "maintenance", "3", "--for", "1h"}), 0);
  EXPECT_THAT(std::exchange(set_, {}), ElementsAre(3, 4));
  EXPECT_EQ(Ask({"disk", "drain", "4"}), 0);
  EXPECT_EQ(out_.str(), "disk 4 is draining\n");
  EXPECT_THAT(std::exchange(set_, {}), ElementsAre(4));
  EXPECT_EQ(Ask({"disk", "undrain", "4"}), 0);
  EXPECT_EQ(out_.str(), "disk 4 is in service\n");
  EXPECT_EQ(Ask({"disk", "drain", "9"}), 3);
  EXPECT_EQ(err_.str(), "cairn: there is no disk 9\n");
  EXPECT_EQ(Ask({"server", "drain", "4"}), 3);
  EXPECT_THAT(set_, ElementsAre(4));
}

TEST_F(DiskVerbsTest, ADrainWaitsUntilAllDisksAreEmpty) {
  group_.on_status = [](FakeMember& member) {
    if (member.id != kLeader) return;
    for (const uint32_t id : {3u, 4u}) {
      v1::ChunkserverStatus& disk = ServerOf(member, id);
      if (disk.state() != v1::SERVER_DRAINING) continue;
      disk.set_active_groups(id == 3 ? 0 : std::max(disk.active_groups(), 1u) - 1);
    }
  };
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "server 3: 3 groups left on it\nserver 3 is empty\n");
  EXPECT_EQ(ServerOf(group_.Peek(kLeader), 4).active_groups(), 0u);
}

TEST_F(DiskVerbsTest, NoDiskOfAServerIsRemovedWhileOneIsInUse) {
  ChangeServerOf(3, [](auto& disk) { disk.set_active_groups(0); });
  EXPECT_EQ(Ask({"server", "remove", "3"}), 6);
  EXPECT_EQ(err_.str(),
            "cairn: disk 4 of server 3 holds copies of 4 placement groups: drain it first\n");
  EXPECT_THAT(removed_, ElementsAre());
  ChangeServerOf(4, [](auto& disk) { disk.set_active_groups(0); });
  EXPECT_EQ(Ask({"server", "remove", "3"}), 0) << err_.str();
  EXPECT_THAT(std::exchange(removed_, {}), ElementsAre(3, 4));
  EXPECT_EQ(Ask({"disk", "remove", "4", "--json"}), 0);
  EXPECT_EQ(out_.str(), "{\"removed\":4,\"lost_groups\":0,\"doubted_groups\":0}\n");
  EXPECT_EQ(Ask({"server", "remove", "3", "--give-up", "5"}), 2) << "which disk has them?";
  EXPECT_THAT(removed_, ElementsAre(4));
}

}  // namespace
}  // namespace cairn
