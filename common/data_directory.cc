#include "common/data_directory.h"

#include <charconv>
#include <map>
#include <vector>

#include "common/crc32c.h"
#include "common/hash.h"

namespace cairn {
namespace {

constexpr std::string_view kTitle = "cairn data directory";
constexpr size_t kDiskUuidBytes = 16;
constexpr size_t kMaxIdentityBytes = 4096;

using Fields = std::map<std::string, std::string, std::less<>>;

std::string WithChecksum(std::string text) {
  text += fmt::format("crc32c {:08x}\n", Crc32c(text.data(), text.size()));
  return text;
}

// The lines "key value" between the title and the checksum.
Result<Fields> ParseFields(std::string_view text, const std::string& path) {
  const size_t last_line = text.rfind("crc32c ");
  if (text.size() > kMaxIdentityBytes || !text.starts_with(kTitle) ||
      last_line == std::string_view::npos ||
      text != WithChecksum(std::string(text.substr(0, last_line)))) {
    return Fail(ErrorCode::kCorruption, "{} is not the identity of a data directory", path);
  }
  Fields fields;
  std::string_view rest = text.substr(0, last_line);
  rest.remove_prefix(rest.find('\n') + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const size_t space = line.find(' ');
    if (end == std::string_view::npos || space == std::string_view::npos) {
      return Fail(ErrorCode::kCorruption, "{}: line '{}' has no value", path, line);
    }
    fields.emplace(line.substr(0, space), line.substr(space + 1));
    rest.remove_prefix(end + 1);
  }
  return fields;
}

Result<uint64_t> NumberOf(const Fields& fields, std::string_view key, const std::string& path) {
  const auto found = fields.find(key);
  uint64_t value = 0;
  if (found != fields.end()) {
    const char* end = found->second.data() + found->second.size();
    const auto parsed = std::from_chars(found->second.data(), end, value);
    if (parsed.ec == std::errc() && parsed.ptr == end) return value;
  }
  return Fail(ErrorCode::kCorruption, "{} has no number '{}'", path, key);
}

std::string TextOf(const Fields& fields, std::string_view key) {
  const auto found = fields.find(key);
  return found == fields.end() ? std::string() : found->second;
}

std::string FailureFile(const std::string& directory) {
  return directory + "/disk-failed";
}

}  // namespace

bool IsMarkedFailed(FileSystem& files, const std::string& directory) {
  return files.Exists(FailureFile(directory));
}

DataDirectory::DataDirectory(FileSystem& files, std::string path, std::string_view role,
                             std::string boot_id)
    : files_(files), path_(std::move(path)), role_(role), boot_id_(std::move(boot_id)) {}

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(FileSystem& files,
                                                           const std::string& path,
                                                           std::string_view role,
                                                           std::string boot_id) {
  RETURN_IF_ERROR(files.MakeDirectory(path));
  std::unique_ptr<DataDirectory> directory(
      new DataDirectory(files, path, role, std::move(boot_id)));
  ASSIGN_OR_RETURN(directory->lock_, DirectoryLock::Acquire(path));
  RETURN_IF_ERROR(directory->CheckDisk());
  RETURN_IF_ERROR(files.Exists(path + "/identity") ? directory->Load()
                                                   : directory->StartNewDirectory());
  directory->incarnation_.value += 1;
  absl::MutexLock lock(&directory->mu_);
  RETURN_IF_ERROR(directory->Save(false));
  return directory;
}

Status DataDirectory::CheckDisk() {
  if (!IsMarkedFailed(files_, path_)) return OkStatus();
  std::string cause = LoadFile(files_, FailureFile(path_)).value_or("unknown");
  while (!cause.empty() && cause.back() == '\n') cause.pop_back();
  return Status::Error(ErrorCode::kDiskFailed,
                       "the disk of {} has failed ({}): replace it and give the server an empty "
                       "directory; if the disk is known to be good, this one can be emptied. The "
                       "server then joins as a new one and is filled from the other copies",
                       path_, cause);
}

Status DataDirectory::Load() {
  const std::string file = path_ + "/identity";
  ASSIGN_OR_RETURN(const std::string text, LoadFile(files_, file));
  ASSIGN_OR_RETURN(const Fields fields, ParseFields(text, file));
  ASSIGN_OR_RETURN(const uint64_t version, NumberOf(fields, "format", file));
  if (version != kDataDirectoryVersion) {
    return Status::Error(ErrorCode::kUnimplemented,
                         "{} has format {}, this program knows format {}", path_, version,
                         kDataDirectoryVersion);
  }
  if (const std::string role = TextOf(fields, "role"); role != role_) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} is the directory of a {}, not of a {}",
                         path_, role, role_);
  }
  ASSIGN_OR_RETURN(const uint64_t server, NumberOf(fields, "server", file));
  ASSIGN_OR_RETURN(incarnation_.value, NumberOf(fields, "incarnation", file));
  ASSIGN_OR_RETURN(const uint64_t clean, NumberOf(fields, "clean", file));
  absl::MutexLock lock(&mu_);
  identity_ = {TextOf(fields, "cluster"), ServerId(static_cast<uint32_t>(server))};
  disk_uuid_ = TextOf(fields, "disk");
  stores_boot_id_ = TextOf(fields, "boot");
  clean_stop_ = clean != 0;
  unclean_boot_ = !clean_stop_ && stores_boot_id_ != boot_id_;
  // A clean stop left everything durable: what is lost from here on is lost in this boot.
  if (clean_stop_) stores_boot_id_ = boot_id_;
  return OkStatus();
}

// Rows or chunks without their identity would be taken for those of a new server.
Status DataDirectory::StartNewDirectory() {
  for (const char* name : {"state", "chunks", "index"}) {
    if (files_.Exists(path_ + "/" + name)) {
      return Status::Error(ErrorCode::kInvalidArgument,
                           "{} holds '{}' but no identity: it is not an empty directory", path_,
                           name);
    }
  }
  disk_uuid_ = RandomHex(kDiskUuidBytes);
  absl::MutexLock lock(&mu_);
  stores_boot_id_ = boot_id_;
  return OkStatus();
}

Status DataDirectory::Save(bool clean) {
  return ReplaceFile(
      files_, path_ + "/identity",
      WithChecksum(fmt::format("{}\nformat {}\nrole {}\ncluster {}\nserver {}\ndisk {}\n"
                               "incarnation {}\nboot {}\nclean {}\n",
                               kTitle, kDataDirectoryVersion, role_, identity_.cluster_id,
                               identity_.server, disk_uuid_, incarnation_, stores_boot_id_,
                               clean ? 1 : 0)));
}

DataIdentity DataDirectory::identity() const {
  absl::MutexLock lock(&mu_);
  return identity_;
}

Status DataDirectory::SetIdentity(const std::string& cluster_id, ServerId server) {
  const bool printable = cluster_id.find_first_of(" \n") == std::string::npos;
  if (cluster_id.empty() || cluster_id.size() > 128 || !printable || server.value == 0) {
    return Status::Error(ErrorCode::kInvalidArgument, "'{}' with server {} is not an identity",
                         cluster_id, server);
  }
  absl::MutexLock lock(&mu_);
  if (identity_.cluster_id == cluster_id && identity_.server == server) return OkStatus();
  if (!identity_.cluster_id.empty()) {
    return Status::Error(ErrorCode::kWrongCluster,
                         "{} belongs to server {} of cluster {}, not to server {} of {}", path_,
                         identity_.server, identity_.cluster_id, server, cluster_id);
  }
  identity_ = {cluster_id, server};
  Status saved = Save(false);
  if (!saved.ok()) identity_ = {};
  return saved;
}

Status DataDirectory::MarkRecovered() {
  absl::MutexLock lock(&mu_);
  if (stores_boot_id_ == boot_id_) return OkStatus();
  stores_boot_id_ = boot_id_;
  return Save(false);
}

Status DataDirectory::MarkDiskFailed(const Status& cause) {
  return ReplaceFile(files_, FailureFile(path_), cause.ToString() + "\n");
}

Status DataDirectory::MarkCleanStop() {
  absl::MutexLock lock(&mu_);
  stores_boot_id_ = boot_id_;
  return Save(true);
}

}  // namespace cairn
