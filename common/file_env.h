// LevelDB's files on a FileSystem, so that what fails or forgets there does so for a database too.
// Time and background work are the operating system's. Buffers and syncs as LevelDB's own files do:
// before a manifest is synced its directory is. Two differences: tables are read, not mapped into
// memory, and the database is not locked: its owner holds the DirectoryLock.
#pragma once

#include <leveldb/env.h>

#include <string>
#include <vector>

#include "common/file.h"

namespace cairn {

// Thread-safe.
class FileEnv : public leveldb::EnvWrapper {
 public:
  // `files` must outlive the object.
  explicit FileEnv(FileSystem& files) : EnvWrapper(Default()), files_(files) {}
  FileSystem& files() { return files_; }

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** out) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** out) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** out) override;
  bool FileExists(const std::string& path) override { return files_.Exists(path); }
  leveldb::Status GetChildren(const std::string& path, std::vector<std::string>* out) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status CreateDir(const std::string& path) override;
  leveldb::Status RemoveDir(const std::string& path) override;
  leveldb::Status GetFileSize(const std::string& path, uint64_t* size_bytes) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** out) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  // None: the database does without its diary.
  leveldb::Status NewLogger(const std::string& path, leveldb::Logger** out) override;

 private:
  leveldb::Status OpenForWriting(const std::string& path, bool append,
                                 leveldb::WritableFile** out);
  FileSystem& files_;
};

}  // namespace cairn
