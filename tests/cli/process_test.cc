#include "cli/dev/process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/scratch_directory.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  static auto Is(const std::string& wanted) {
    return [wanted](const std::string& argument) { return argument == wanted; };
  }
  ProcessIdentity Sleeper() {
    auto spawned = SpawnDetached({.arguments = {"/bin/sleep", "120"},
                                  .log_file = scratch_.path() + "/log",
                                  .pid_file = scratch_.path() + "/pid"});
    EXPECT_TRUE(spawned.has_value());
    children_.push_back(*spawned);
    return *spawned;
  }
  void TearDown() override {
    for (const ProcessIdentity& child : children_) {
      (void)SignalProcess(child, SIGKILL);
      ::waitpid(child.pid, nullptr, 0);
    }
  }
  bool Becomes(const ProcessIdentity& identity, ProcessState state) {
    return WaitUntil(Deadline::After(10s), [&] { return StateOf(identity) == state; });
  }
  std::string Log() {
    std::ifstream file(scratch_.path() + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  ScratchDirectory scratch_;
  std::vector<ProcessIdentity> children_;
};

TEST_F(ProcessTest, ASpawnedProcessIsRememberedAndApart) {
  const ProcessIdentity sleeper = Sleeper();
  const auto remembered = LoadPidFile(scratch_.path() + "/pid");
  ASSERT_TRUE(remembered.has_value() && remembered->has_value());
  EXPECT_EQ(**remembered, sleeper);
  EXPECT_EQ(StateOf(sleeper), ProcessState::kRunning);
  EXPECT_EQ(::getsid(sleeper.pid), sleeper.pid);
}

TEST_F(ProcessTest, PausesResumesAndEnds) {
  const ProcessIdentity sleeper = Sleeper();
  ASSERT_TRUE(SignalProcess(sleeper, SIGSTOP).ok());
  EXPECT_TRUE(Becomes(sleeper, ProcessState::kPaused));
  ASSERT_TRUE(SignalProcess(sleeper, SIGCONT).ok());
  EXPECT_TRUE(Becomes(sleeper, ProcessState::kRunning));
  ASSERT_TRUE(SignalProcess(sleeper, SIGKILL).ok());
  // It is our child and nobody has waited for it: a zombie is down.
  EXPECT_TRUE(Becomes(sleeper, ProcessState::kDown));
}

TEST_F(ProcessTest, AReusedPidIsNeverSignalled) {
  const ProcessIdentity sleeper = Sleeper();
  ProcessIdentity earlier = sleeper;
  earlier.start_time -= 1;
  EXPECT_EQ(StateOf(earlier), ProcessState::kDown);
  EXPECT_EQ(SignalProcess(earlier, SIGKILL).code(), ErrorCode::kNotFound);
  ProcessIdentity other_boot = sleeper;
  other_boot.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(SignalProcess(other_boot, SIGKILL).code(), ErrorCode::kNotFound);
  EXPECT_EQ(StateOf(sleeper), ProcessState::kRunning);
}

TEST_F(ProcessTest, AProgramThatCannotRunIsAnError) {
  const auto spawned = SpawnDetached({.arguments = {"/no/such/program"},
                                      .log_file = scratch_.path() + "/log",
                                      .pid_file = scratch_.path() + "/pid"});
  ASSERT_FALSE(spawned.has_value());
  EXPECT_EQ(spawned.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(spawned.error().message(), HasSubstr("/no/such/program"));
}

TEST_F(ProcessTest, OutputIsAppendedToTheLog) {
  scratch_.Write("log", "before\n");
  auto spawned = SpawnDetached({.arguments = {"/bin/sh", "-c", "echo out; echo err >&2; pwd"},
                                .log_file = scratch_.path() + "/log",
                                .pid_file = scratch_.path() + "/pid"});
  ASSERT_TRUE(spawned.has_value());
  children_.push_back(*spawned);
  EXPECT_TRUE(Becomes(*spawned, ProcessState::kDown));
  EXPECT_EQ(Log(), "before\nout\nerr\n/\n");
}

TEST_F(ProcessTest, AGarbledPidFileIsAnErrorAndAnAbsentOneIsNobody) {
  EXPECT_FALSE(LoadPidFile(scratch_.Write("pid", "12 x\n")).has_value());
  EXPECT_FALSE(LoadPidFile(scratch_.Write("pid", "-1 5 boot\n")).has_value());
  const auto absent = LoadPidFile(scratch_.path() + "/absent");
  ASSERT_TRUE(absent.has_value());
  EXPECT_FALSE(absent->has_value());
}

TEST_F(ProcessTest, FindsProgramsByArgument) {
  const ProcessIdentity sleeper = Sleeper();
  const auto found = FindPrograms("sleep", Is("120"));
  EXPECT_THAT(found, testing::Contains(testing::Field(&RunningProgram::identity, sleeper)));
  EXPECT_TRUE(FindPrograms("sleep", Is(scratch_.path())).empty());
}

TEST_F(ProcessTest, FindsProgramsByTheirFileWhateverTheyAreCalled) {
  const std::string link = scratch_.path() + "/mount.sleep";
  std::filesystem::create_symlink("/bin/sleep", link);
  auto spawned = SpawnDetached({.arguments = {link, "121"},
                                .log_file = scratch_.path() + "/log",
                                .pid_file = scratch_.path() + "/pid"});
  ASSERT_TRUE(spawned.has_value());
  children_.push_back(*spawned);
  EXPECT_THAT(FindPrograms("sleep", Is("121")),
              testing::Contains(testing::Field(&RunningProgram::identity, *spawned)));
}

TEST_F(ProcessTest, WhoeverWaitsIsToldForWhom) {
  const ProcessIdentity sleeper = Sleeper();
  std::string told;
  EXPECT_FALSE(AwaitEnd("chunk7", sleeper, Deadline::After(100ms),
                        [&](const std::string& text) { told = text; }));
  EXPECT_THAT(told, HasSubstr("chunk7 (pid " + std::to_string(sleeper.pid) + ")"));
  ASSERT_TRUE(SignalProcess(sleeper, SIGKILL).ok());
  told.clear();
  EXPECT_TRUE(AwaitEnd("chunk7", sleeper, Deadline::After(60s),
                       [&](const std::string& text) { told = text; }));
  EXPECT_EQ(told, "");
}

TEST(RunApartTest, AnswersTheExitCodeAndGivesUpInTime) {
  EXPECT_EQ(*RunApart([] { return 7; }, 10s), 7);
  const auto stuck = RunApart([] { return ::pause(); }, 100ms);
  ASSERT_FALSE(stuck.has_value());
  EXPECT_EQ(stuck.error().code(), ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace cairn
