// Real mounts of a file system that is only played: they need root and /dev/fuse.
#include "fuse_client/mount_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <semaphore>
#include <thread>

#include "common/hash.h"
#include "tests/fuse_client/fake_file_system.h"

namespace cairn::fuse {
namespace {

using testing::HasSubstr;

class MountSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(geteuid(), 0u) << "only root mounts without fusermount3";
    ASSERT_EQ(access("/dev/fuse", R_OK | W_OK), 0);
    // libfuse takes over only default actions, and a session leaves others behind.
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_DFL);
    std::filesystem::create_directories(mount_point_);
  }
  void TearDown() override {
    umount2(mount_point_.c_str(), MNT_DETACH);
    std::filesystem::remove(mount_point_);
  }

  // Serves until `use` has unmounted or ended the session; `use` runs once the mount answers.
  Status Serve(MountedFileSystem& files, const std::function<void()>& use) {
    std::thread user;
    const Status status = ServeMount(files, {"unix:/with,comma\\", mount_point_, {}, [&] {
                                               user = std::thread(use);
                                             }});
    if (user.joinable()) user.join();
    return status;
  }
  int Stat(const std::string& name) {
    struct stat attributes {};
    return stat((mount_point_ + "/" + name).c_str(), &attributes) == 0 ? 0 : errno;
  }

  const std::string mount_point_ = testing::TempDir() + "cairn_fuse_" + RandomHex(6);
};

// Whoever asks for its space waits until let go.
class StuckFileSystem : public FakeFileSystem {
 public:
  Result<FileSystemSpace> Space() override {
    entered_.release();
    let_go_.wait();
    return FileSystemSpace();
  }
  bool AwaitCallers(int count) {
    bool all = true;
    for (int i = 0; i < count; ++i) all = all && entered_.try_acquire_for(std::chrono::seconds(10));
    return all;
  }
  void LetGo() { let_go_.count_down(); }

 private:
  std::counting_semaphore<> entered_{0};
  std::latch let_go_{1};
};

TEST_F(MountSessionTest, ManyCallsThatWaitDoNotHoldUpOthers) {
  constexpr int kStuck = 100;
  StuckFileSystem files;
  const Status status = Serve(files, [&] {
    std::vector<std::thread> callers;
    for (int i = 0; i < kStuck; ++i) {
      callers.emplace_back([this] {
        struct statvfs space {};
        EXPECT_EQ(statvfs(mount_point_.c_str(), &space), 0);
      });
    }
    const bool all_wait = files.AwaitCallers(kStuck);
    EXPECT_TRUE(all_wait);
    if (all_wait) {
      EXPECT_EQ(Stat("other"), ENOENT);
    }
    files.LetGo();
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(umount2(mount_point_.c_str(), 0), 0);
  });
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(MountSessionTest, TheKernelShowsTheSourceAsGiven) {
  FakeFileSystem files;
  std::string shown;
  ASSERT_TRUE(Serve(files, [&] {
                std::ifstream table("/proc/self/mountinfo");
                shown.assign(std::istreambuf_iterator<char>(table), {});
                umount2(mount_point_.c_str(), 0);
              }).ok());
  EXPECT_THAT(shown, HasSubstr(mount_point_));
  EXPECT_THAT(shown, HasSubstr(" - fuse.cairn unix:/with,comma\\134 "));
}

class SilentFileSystem : public FakeFileSystem {
 public:
  Result<Entry> GetAttributes(InodeId) override {
    return Fail(ErrorCode::kIoError, "nobody answers");
  }
};

TEST_F(MountSessionTest, AMountThatDoesNotAnswerEndsAndSaysSo) {
  SilentFileSystem files;
  const Status status = Serve(files, [] { FAIL() << "told that the mount answers"; });
  EXPECT_EQ(status.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr(mount_point_));
  EXPECT_EQ(Stat(""), 0) << "still mounted";
}

TEST_F(MountSessionTest, ASignalAfterTheSessionIsPassedOver) {
  FakeFileSystem files;
  const pthread_t server = pthread_self();
  ASSERT_TRUE(Serve(files, [&] { pthread_kill(server, SIGTERM); }).ok());
  EXPECT_EXIT(
      {
        raise(SIGTERM);
        _exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace cairn::fuse
