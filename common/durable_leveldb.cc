#include "common/durable_leveldb.h"

#include <leveldb/cache.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/leveldb_log.h"
#include "common/logging.h"

namespace cairn {

namespace {

std::optional<uint64_t> LogNumber(std::string_view name) {
  if (!name.ends_with(".log")) return std::nullopt;
  name.remove_suffix(4);
  uint64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

Status CutFile(FileSystem& files, const std::string& path, size_t size_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kReadWrite));
  RETURN_IF_ERROR(file->Truncate(size_bytes));
  return file->Sync();
}

// The manifest without the record that was being written when the power went: it was not synced, so
// all that it replaces is still there. What is bad before a good record is damage.
Result<std::string> LoadManifest(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::string manifest, LoadFile(files, path));
  LevelDbLogReader reader(manifest);
  while (reader.Next()) {
  }
  if (reader.at_end()) return manifest;
  if (reader.good_bytes() == 0 || reader.AnotherRecordBegins()) {
    return Fail(ErrorCode::kCorruption, "{} is damaged at {}", path, reader.good_bytes());
  }
  LOG_WARN("manifest cut after an unclean boot path={} kept_bytes={} of_bytes={}", path,
           reader.good_bytes(), manifest.size());
  RETURN_IF_ERROR(CutFile(files, path, reader.good_bytes()));
  manifest.resize(reader.good_bytes());
  return manifest;
}

// The number of the log from which recovery starts.
Result<uint64_t> LoadFirstLog(FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(std::string current, LoadFile(files, directory + "/CURRENT"));
  while (!current.empty() && current.back() == '\n') current.pop_back();
  if (!current.starts_with("MANIFEST-") || current.find('/') != std::string::npos) {
    return Fail(ErrorCode::kCorruption, "{}/CURRENT names no manifest", directory);
  }
  ASSIGN_OR_RETURN(const std::string manifest, LoadManifest(files, directory + "/" + current));
  std::optional<uint64_t> number = ManifestLogNumber(manifest);
  if (!number) return Fail(ErrorCode::kCorruption, "{}/{} cannot be read", directory, current);
  return *number;
}

struct NamedLog {
  uint64_t number;
  std::string path;
};

Result<std::vector<NamedLog>> ListLogs(FileSystem& files, const std::string& directory,
                                       uint64_t first) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, files.List(directory));
  std::vector<NamedLog> logs;
  for (const std::string& name : names) {
    std::optional<uint64_t> number = LogNumber(name);
    if (number && *number >= first) logs.push_back({*number, directory + "/" + name});
  }
  std::sort(logs.begin(), logs.end(),
            [](const NamedLog& a, const NamedLog& b) { return a.number < b.number; });
  return logs;
}

// Bytes of `log` up to the first record that is bad or does not follow `next_sequence`, which is
// moved on. Nothing when the whole log is good.
std::optional<size_t> FindCut(std::string_view log, std::optional<uint64_t>& next_sequence) {
  LevelDbLogReader reader(log);
  for (size_t good = 0;; good = reader.good_bytes()) {
    std::optional<std::string> record = reader.Next();
    if (!record) return reader.at_end() ? std::nullopt : std::optional(good);
    std::optional<BatchRange> range = ReadBatchRange(*record);
    if (!range || (next_sequence && range->sequence != *next_sequence)) return good;
    next_sequence = range->sequence + range->count;
  }
}

// Leaves a prefix of what was written: everything behind the first doubtful record goes.
Status CutLogs(FileSystem& files, const std::string& directory) {
  if (!files.Exists(directory + "/CURRENT")) return OkStatus();
  ASSIGN_OR_RETURN(uint64_t first, LoadFirstLog(files, directory));
  ASSIGN_OR_RETURN(std::vector<NamedLog> logs, ListLogs(files, directory, first));
  std::optional<uint64_t> next_sequence;
  bool cut = false;
  for (const NamedLog& log : logs) {
    if (cut) {
      LOG_WARN("write-ahead log dropped, it follows a cut one path={}", log.path);
      RETURN_IF_ERROR(files.Remove(log.path));
      continue;
    }
    ASSIGN_OR_RETURN(std::string bytes, LoadFile(files, log.path));
    std::optional<size_t> keep = FindCut(bytes, next_sequence);
    if (!keep) continue;
    cut = true;
    LOG_WARN("write-ahead log cut after an unclean boot path={} kept_bytes={} of_bytes={}",
             log.path, *keep, bytes.size());
    RETURN_IF_ERROR(CutFile(files, log.path, *keep));
  }
  return cut ? files.SyncDirectory(directory) : OkStatus();
}

Status RemoveAll(FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  for (const std::string& name : names) RETURN_IF_ERROR(files.Remove(directory + "/" + name));
  return files.Remove(directory);
}

}  // namespace

Result<std::unique_ptr<DurableLevelDb>> DurableLevelDb::Open(
    const std::string& directory, const DurableLevelDbOptions& options) {
  std::unique_ptr<DurableLevelDb> result(new DurableLevelDb(directory, options));
  RETURN_IF_ERROR(result->files_.MakeDirectory(directory));
  if (options.unclean_boot) RETURN_IF_ERROR(CutLogs(result->files_, directory));

  leveldb::Options settings;
  settings.create_if_missing = true;
  settings.paranoid_checks = true;  // after the cut nothing bad is to be expected
  settings.write_buffer_size = options.write_buffer_bytes;
  settings.env = result->env_.get();
  settings.block_cache = result->cache_.get();
  settings.filter_policy = result->filter_.get();
  leveldb::DB* db = nullptr;
  RETURN_IF_ERROR(FromLevelDb(leveldb::DB::Open(settings, directory, &db), "open " + directory));
  result->db_.reset(db);
  return result;
}

DurableLevelDb::DurableLevelDb(std::string directory, const DurableLevelDbOptions& options)
    : files_(options.env != nullptr ? options.env->files() : PosixFiles()),
      directory_(std::move(directory)),
      env_(options.env != nullptr
               ? std::make_unique<DurableEnv>(options.env, options.env->files())
               : std::make_unique<DurableEnv>(leveldb::Env::Default(), PosixFiles())),
      cache_(leveldb::NewLRUCache(options.block_cache_bytes)),
      filter_(leveldb::NewBloomFilterPolicy(10)) {}

DurableLevelDb::~DurableLevelDb() {
  if (db_ == nullptr) return;  // Open failed
  if (remove_when_closed_) {
    db_.reset();
    Status status = RemoveAll(files_, directory_);
    if (!status.ok()) LOG_WARN("a store is left behind path={} error={}", directory_, status);
    return;
  }
  // A directory that was closed cleanly is not scanned at the next boot.
  leveldb::Status synced = env_->SyncLog();
  if (!synced.ok()) LOG_ERROR("write-ahead log not synced at close error={}", synced.ToString());
  db_.reset();
}

Status DurableLevelDb::Write(leveldb::WriteBatch* batch, bool sync) {
  leveldb::WriteOptions options;
  options.sync = sync;
  return FromLevelDb(db_->Write(options, batch), "write");
}

Status FromLevelDb(const leveldb::Status& status, std::string_view what) {
  if (status.ok()) return OkStatus();
  std::string text = status.ToString();
  ErrorCode code = ErrorCode::kIoError;
  if (status.IsNotFound()) code = ErrorCode::kNotFound;
  if (status.IsCorruption()) code = ErrorCode::kCorruption;
  if (status.IsInvalidArgument()) code = ErrorCode::kInvalidArgument;
  if (status.IsNotSupportedError()) code = ErrorCode::kNotSupported;
  // LevelDB keeps the text of the errno and forgets its number.
  if (text.find("No space left on device") != std::string::npos) code = ErrorCode::kNoSpace;
  return Status::Error(code, "{}: {}", what, text);
}

}  // namespace cairn
