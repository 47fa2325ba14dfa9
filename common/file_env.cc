#include "common/file_env.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace cairn {
namespace {

constexpr size_t kBufferBytes = 64u << 10;  // of a file being written, as LevelDB's own has

leveldb::Status ToLevelDb(const std::string& path, const Status& status) {
  if (status.ok()) return leveldb::Status::OK();
  if (status.code() == ErrorCode::kNotFound) {
    return leveldb::Status::NotFound(path, status.message());
  }
  // FromLevelDb knows a full disk by the errno's text.
  if (status.code() == ErrorCode::kNoSpace) {
    return leveldb::Status::IOError(path, std::strerror(ENOSPC));
  }
  return leveldb::Status::IOError(path, status.message());
}

std::string DirectoryOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool IsManifest(const std::string& path) {
  return path.substr(path.rfind('/') + 1).starts_with("MANIFEST");
}

leveldb::Status ReadAt(File& file, const std::string& path, uint64_t offset, size_t length,
                       leveldb::Slice* out, char* scratch) {
  *out = leveldb::Slice();
  Result<size_t> got = file.Read(offset, std::as_writable_bytes(std::span(scratch, length)));
  if (!got.has_value()) return ToLevelDb(path, got.error());
  *out = leveldb::Slice(scratch, *got);
  return leveldb::Status::OK();
}

class SequentialReader final : public leveldb::SequentialFile {
 public:
  SequentialReader(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  leveldb::Status Read(size_t length, leveldb::Slice* out, char* scratch) override {
    leveldb::Status status = ReadAt(*file_, path_, at_, length, out, scratch);
    at_ += out->size();
    return status;
  }
  leveldb::Status Skip(uint64_t length) override {
    at_ += length;
    return leveldb::Status::OK();
  }

 private:
  const std::unique_ptr<File> file_;
  const std::string path_;
  uint64_t at_ = 0;
};

class RandomReader final : public leveldb::RandomAccessFile {
 public:
  RandomReader(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  leveldb::Status Read(uint64_t offset, size_t length, leveldb::Slice* out,
                       char* scratch) const override {
    return ReadAt(*file_, path_, offset, length, out, scratch);
  }

 private:
  const std::unique_ptr<File> file_;
  const std::string path_;
};

// Appends through a buffer; what it holds reaches the file with Flush, Sync or Close.
class Writer final : public leveldb::WritableFile {
 public:
  Writer(FileSystem& files, std::unique_ptr<File> file, std::string path, uint64_t at)
      : files_(files), file_(std::move(file)), path_(std::move(path)), at_(at) {}
  ~Writer() override { (void)Close(); }

  leveldb::Status Append(const leveldb::Slice& data) override {
    buffer_.append(data.data(), data.size());
    return buffer_.size() < kBufferBytes ? leveldb::Status::OK() : Flush();
  }
  leveldb::Status Flush() override {
    if (buffer_.empty()) return leveldb::Status::OK();
    const std::string bytes = std::exchange(buffer_, {});
    Status status = file_->Write(at_, std::as_bytes(std::span(bytes.data(), bytes.size())));
    at_ += bytes.size();
    return ToLevelDb(path_, status);
  }
  leveldb::Status Sync() override {
    // A manifest that is on disk must not name files that are not.
    if (IsManifest(path_)) {
      Status status = files_.SyncDirectory(DirectoryOf(path_));
      if (!status.ok()) return ToLevelDb(path_, status);
    }
    if (leveldb::Status status = Flush(); !status.ok()) return status;
    return ToLevelDb(path_, file_->Sync());
  }
  leveldb::Status Close() override { return Flush(); }

 private:
  FileSystem& files_;
  const std::unique_ptr<File> file_;
  const std::string path_;
  std::string buffer_;
  uint64_t at_ = 0;
};

class NoLock final : public leveldb::FileLock {};

// Hands `value` out, or the error.
template <typename Made, typename Out>
leveldb::Status HandOut(const std::string& path, Result<std::unique_ptr<File>> file, Out** out) {
  *out = nullptr;
  if (!file.has_value()) return ToLevelDb(path, file.error());
  *out = new Made(std::move(*file), path);
  return leveldb::Status::OK();
}

Result<uint64_t> BeginWriting(File& file, bool append) {
  ASSIGN_OR_RETURN(const uint64_t size_bytes, file.Size());
  if (append || size_bytes == 0) return size_bytes;
  RETURN_IF_ERROR(file.Truncate(0));
  return uint64_t{0};
}

}  // namespace

leveldb::Status FileEnv::NewSequentialFile(const std::string& path,
                                           leveldb::SequentialFile** out) {
  return HandOut<SequentialReader>(path, files_.Open(path, OpenMode::kRead), out);
}

leveldb::Status FileEnv::NewRandomAccessFile(const std::string& path,
                                             leveldb::RandomAccessFile** out) {
  return HandOut<RandomReader>(path, files_.Open(path, OpenMode::kRead), out);
}

leveldb::Status FileEnv::OpenForWriting(const std::string& path, bool append,
                                        leveldb::WritableFile** out) {
  *out = nullptr;
  auto file = files_.Open(path, OpenMode::kCreate);
  if (!file.has_value()) return ToLevelDb(path, file.error());
  Result<uint64_t> at = BeginWriting(**file, append);
  if (!at.has_value()) return ToLevelDb(path, at.error());
  *out = new Writer(files_, std::move(*file), path, *at);
  return leveldb::Status::OK();
}

leveldb::Status FileEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** out) {
  return OpenForWriting(path, /*append=*/false, out);
}

leveldb::Status FileEnv::NewAppendableFile(const std::string& path,
                                           leveldb::WritableFile** out) {
  return OpenForWriting(path, /*append=*/true, out);
}

leveldb::Status FileEnv::GetChildren(const std::string& path, std::vector<std::string>* out) {
  Result<std::vector<std::string>> names = files_.List(path);
  out->clear();
  if (!names.has_value()) return ToLevelDb(path, names.error());
  *out = std::move(*names);
  return leveldb::Status::OK();
}

leveldb::Status FileEnv::RemoveFile(const std::string& path) {
  return ToLevelDb(path, files_.Remove(path));
}

leveldb::Status FileEnv::CreateDir(const std::string& path) {
  return ToLevelDb(path, files_.MakeDirectory(path));
}

leveldb::Status FileEnv::RemoveDir(const std::string& path) {
  return ToLevelDb(path, files_.Remove(path));
}

leveldb::Status FileEnv::GetFileSize(const std::string& path, uint64_t* size_bytes) {
  *size_bytes = 0;
  auto file = files_.Open(path, OpenMode::kRead);
  if (!file.has_value()) return ToLevelDb(path, file.error());
  Result<uint64_t> size = (*file)->Size();
  if (!size.has_value()) return ToLevelDb(path, size.error());
  *size_bytes = *size;
  return leveldb::Status::OK();
}

leveldb::Status FileEnv::RenameFile(const std::string& from, const std::string& to) {
  return ToLevelDb(from, files_.Rename(from, to));
}

leveldb::Status FileEnv::LockFile(const std::string&, leveldb::FileLock** out) {
  *out = new NoLock;
  return leveldb::Status::OK();
}

leveldb::Status FileEnv::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return leveldb::Status::OK();
}

leveldb::Status FileEnv::NewLogger(const std::string& path, leveldb::Logger** out) {
  *out = nullptr;
  return leveldb::Status::NotSupported(path, "no diary");
}

}  // namespace cairn
