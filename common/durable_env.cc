#include "common/durable_env.h"

#include <memory>
#include <utility>

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

// A file that is on disk with its name once it was synced.
class DurableEnv::NamedFile final : public leveldb::WritableFile {
 public:
  NamedFile(leveldb::WritableFile* below, DurableEnv& env, std::string path)
      : below_(below), env_(env), path_(std::move(path)) {}
  leveldb::Status Append(const leveldb::Slice& data) override { return below_->Append(data); }
  leveldb::Status Flush() override { return below_->Flush(); }
  leveldb::Status Close() override { return below_->Close(); }
  leveldb::Status Sync() override {
    leveldb::Status status = below_->Sync();
    return status.ok() ? env_.SyncNames(path_) : status;
  }

 private:
  std::unique_ptr<leveldb::WritableFile> below_;
  DurableEnv& env_;
  const std::string path_;
};

leveldb::Status DurableEnv::NewWritableFile(const std::string& path,
                                            leveldb::WritableFile** out) {
  if (!path.ends_with(".log")) {
    leveldb::Status status = target()->NewWritableFile(path, out);
    if (status.ok()) *out = new NamedFile(*out, *this, path);
    return status;
  }
  if (leveldb::Status status = SyncLog(); !status.ok()) return status;
  if (leveldb::Status status = target()->NewWritableFile(path, out); !status.ok()) return status;
  auto file = std::make_unique<LogFile>(*out, *this);
  *out = nullptr;
  // Otherwise a sync of this log could be kept and its name lost.
  if (leveldb::Status status = SyncNames(path); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  current_ = file.get();
  *out = file.release();
  return leveldb::Status::OK();
}

leveldb::Status DurableEnv::RenameFile(const std::string& from, const std::string& to) {
  if (leveldb::Status status = target()->RenameFile(from, to); !status.ok()) return status;
  return SyncNames(to);
}

leveldb::Status DurableEnv::SyncNames(const std::string& path) {
  Status status = files_.SyncDirectory(path.substr(0, path.rfind('/')));
  return status.ok() ? leveldb::Status::OK() : leveldb::Status::IOError(path, status.ToString());
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
