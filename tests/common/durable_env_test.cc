#include "common/durable_env.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "common/durable_leveldb.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

// Tells what is done to the files below, in order, and fails on demand.
class WatchedEnv final : public leveldb::EnvWrapper {
 public:
  WatchedEnv() : EnvWrapper(leveldb::Env::Default()) {}
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** out) override {
    std::string name = path.substr(path.rfind('/') + 1);
    events_.push_back("create " + name);
    leveldb::Status status = target()->NewWritableFile(path, out);
    if (status.ok()) *out = new WatchedFile(*out, name, *this);
    return status;
  }

  std::vector<std::string> events_;
  bool fail_ = false;

 private:
  class WatchedFile final : public leveldb::WritableFile {
   public:
    WatchedFile(leveldb::WritableFile* below, std::string name, WatchedEnv& env)
        : below_(below), name_(std::move(name)), env_(env) {}
    leveldb::Status Append(const leveldb::Slice& data) override {
      return env_.fail_ ? leveldb::Status::IOError("injected") : below_->Append(data);
    }
    leveldb::Status Close() override { return below_->Close(); }
    leveldb::Status Flush() override { return below_->Flush(); }
    leveldb::Status Sync() override {
      env_.events_.push_back("sync " + name_);
      return env_.fail_ ? leveldb::Status::IOError("injected") : below_->Sync();
    }

   private:
    std::unique_ptr<leveldb::WritableFile> below_;
    std::string name_;
    WatchedEnv& env_;
  };
};

class RuleM2Env : public ::testing::Test {
 protected:
  std::unique_ptr<leveldb::WritableFile> Create(const std::string& name) {
    leveldb::WritableFile* file = nullptr;
    last_ = env_.NewWritableFile(directory_ / name, &file);
    return std::unique_ptr<leveldb::WritableFile>(file);
  }

  TemporaryDirectory directory_;
  WatchedEnv below_;
  DurableEnv env_{&below_, PosixFiles()};
  leveldb::Status last_;
};

TEST_F(RuleM2Env, LogIsSyncedBeforeItsSuccessorExists) {
  auto first = Create("000001.log");
  ASSERT_TRUE(first->Append("x").ok());
  auto table = Create("000002.ldb");
  auto second = Create("000003.log");
  EXPECT_EQ(below_.events_, (std::vector<std::string>{"create 000001.log", "create 000002.ldb",
                                                      "sync 000001.log", "create 000003.log"}));
}

TEST_F(RuleM2Env, ClosedLogIsNotSyncedAgain) {
  Create("000001.log").reset();
  auto second = Create("000002.log");
  EXPECT_EQ(below_.events_,
            (std::vector<std::string>{"create 000001.log", "create 000002.log"}));
}

TEST_F(RuleM2Env, AfterOneFailureNoLogTakesAnything) {
  auto first = Create("000001.log");
  below_.fail_ = true;
  EXPECT_FALSE(first->Append("x").ok());
  below_.fail_ = false;
  EXPECT_FALSE(first->Append("y").ok());
  EXPECT_FALSE(first->Sync().ok());
  EXPECT_EQ(Create("000002.log"), nullptr);
  EXPECT_FALSE(last_.ok());
  EXPECT_FALSE(env_.failure().ok());
  EXPECT_EQ(below_.events_, std::vector<std::string>{"create 000001.log"});
}

TEST_F(RuleM2Env, FailedSyncPreventsTheSuccessor) {
  auto first = Create("000001.log");
  below_.fail_ = true;
  EXPECT_EQ(Create("000002.log"), nullptr);
  EXPECT_EQ(below_.events_,
            (std::vector<std::string>{"create 000001.log", "sync 000001.log"}));
}

}  // namespace
}  // namespace cairn
