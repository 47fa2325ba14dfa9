#include "common/durable_leveldb.h"

#include <leveldb/cache.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "common/durable_env.h"
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

// The number of the log from which recovery starts.
Result<uint64_t> LoadFirstLog(FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(std::string current, LoadFile(files, directory + "/CURRENT"));
  while (!current.empty() && current.back() == '\n') current.pop_back();
  if (!current.starts_with("MANIFEST-") || current.find('/') != std::string::npos) {
    return Fail(ErrorCode::kCorruption, "{}/CURRENT names no manifest", directory);
  }
  ASSIGN_OR_RETURN(std::string manifest, LoadFile(files, directory + "/" + current));
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

Status CutLog(FileSystem& files, const std::string& path, size_t size_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kReadWrite));
  RETURN_IF_ERROR(file->Truncate(size_bytes));
  return file->Sync();
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
    RETURN_IF_ERROR(CutLog(files, log.path, *keep));
  }
  return cut ? files.SyncDirectory(directory) : OkStatus();
}

}  // namespace

Result<std::unique_ptr<DurableLevelDb>> DurableLevelDb::Open(
    const std::string& directory, const DurableLevelDbOptions& options) {
  FileSystem& files = PosixFiles();
  RETURN_IF_ERROR(files.MakeDirectory(directory));
  if (options.unclean_boot) RETURN_IF_ERROR(CutLogs(files, directory));

  std::unique_ptr<DurableLevelDb> result(new DurableLevelDb(directory));
  result->env_ = std::make_unique<DurableEnv>(leveldb::Env::Default());
  result->cache_.reset(leveldb::NewLRUCache(options.block_cache_bytes));
  result->filter_.reset(leveldb::NewBloomFilterPolicy(10));
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

DurableLevelDb::DurableLevelDb(std::string directory) : directory_(std::move(directory)) {}

DurableLevelDb::~DurableLevelDb() {
  if (remove_when_closed_) {
    db_.reset();
    std::error_code error;
    std::filesystem::remove_all(directory_, error);
    if (error) LOG_WARN("a store is left behind path={} error={}", directory_, error.message());
    return;
  }
  // A directory that was closed cleanly is not scanned at the next boot.
  leveldb::Status synced = static_cast<DurableEnv&>(*env_).SyncLog();
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
