#include "common/durable_env.h"

#include <memory>
#include <utility>

#include "common/file.h"

namespace cairn {

class DurableEnv::LogFile final : public leveldb::WritableFile {
 public:
  LogFile(leveldb::WritableFile* below, DurableEnv& env) : below_(below), env_(env) {}
  ~LogFile() override { env_.Forget(this); }

  leveldb::Status Append(const leveldb::Slice& data) override {
    return Guard([&] { return below_->Append(data); });
  }
  leveldb::Status Flush() override {
    return Guard([&] { return below_->Flush(); });
  }
  leveldb::Status Sync() override {
    return Guard([&] { return below_->Sync(); });
  }
  leveldb::Status Close() override { return below_->Close(); }

 private:
  template <typename Call>
  leveldb::Status Guard(Call call) {
    leveldb::Status earlier = env_.failure();
    return earlier.ok() ? env_.Remember(call()) : earlier;
  }

  std::unique_ptr<leveldb::WritableFile> below_;
  DurableEnv& env_;
};

leveldb::Status DurableEnv::NewWritableFile(const std::string& path,
                                            leveldb::WritableFile** out) {
  if (!path.ends_with(".log")) return target()->NewWritableFile(path, out);
  if (leveldb::Status status = SyncLog(); !status.ok()) return status;
  if (leveldb::Status status = target()->NewWritableFile(path, out); !status.ok()) return status;
  auto file = std::make_unique<LogFile>(*out, *this);
  *out = nullptr;
  // Otherwise a sync of this log could be kept and its name lost.
  if (Status status = PosixFiles().SyncDirectory(path.substr(0, path.rfind('/'))); !status.ok()) {
    return leveldb::Status::IOError(path, status.ToString());
  }
  absl::MutexLock lock(&mu_);
  current_ = file.get();
  *out = file.release();
  return leveldb::Status::OK();
}

// LevelDB creates a log on the thread that writes the old one, so nobody else is inside it.
leveldb::Status DurableEnv::SyncLog() {
  LogFile* file = nullptr;
  {
    absl::MutexLock lock(&mu_);
    file = current_;
  }
  return file == nullptr ? leveldb::Status::OK() : file->Sync();
}

leveldb::Status DurableEnv::failure() {
  absl::MutexLock lock(&mu_);
  return failure_;
}

leveldb::Status DurableEnv::Remember(leveldb::Status status) {
  absl::MutexLock lock(&mu_);
  if (!status.ok() && failure_.ok()) failure_ = status;
  return status;
}

void DurableEnv::Forget(const LogFile* file) {
  absl::MutexLock lock(&mu_);
  if (current_ == file) current_ = nullptr;
}

}  // namespace cairn
