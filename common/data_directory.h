// The directory a server keeps everything in, and who it belongs to: cluster, server, role, format
// version, how often it was started and how it was last left (docs/formats/data_directory.md).
// A directory of another cluster or role, or of a newer format, is refused by name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/boot_id.h"
#include "common/file.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

inline constexpr uint32_t kDataDirectoryVersion = 1;
inline constexpr size_t kMaxClusterIdBytes = 64;

inline constexpr std::string_view kMetaserverRole = "metaserver";
inline constexpr std::string_view kChunkserverRole = "chunkserver";

// MarkDiskFailed() was called on it: nothing opens it any more.
bool IsMarkedFailed(FileSystem& files, const std::string& directory);

struct DataIdentity {
  std::string cluster_id;  // empty until the server belongs to a cluster
  ServerId server;         // 0 until then
};

// Holds the directory's lock for as long as it lives. Thread-safe.
class DataDirectory {
 public:
  // Makes the directory when it is absent, takes its lock and durably counts this start. An empty
  // directory gets a new disk uuid and waits for its identity.
  // kBusy: another process uses it; kInvalidArgument: another role, or files of a server without
  // their identity file; kUnimplemented: a newer format; kCorruption: the identity does not parse;
  // kDiskFailed: MarkDiskFailed() was called on it, the message says why and what to do.
  // `files` must outlive the object; `boot_id` is a parameter for tests.
  static Result<std::unique_ptr<DataDirectory>> Open(FileSystem& files, const std::string& path,
                                                     std::string_view role,
                                                     std::string boot_id = BootId());

  const std::string& path() const { return path_; }
  const std::string& boot_id() const { return boot_id_; }
  const std::string& disk_uuid() const { return disk_uuid_; }
  // Of this start: durable, one more than that of the start before.
  Incarnation incarnation() const { return incarnation_; }
  // The start before ended in MarkCleanStop(), or there was none.
  bool clean_stop() const { return clean_stop_; }
  // The machine has booted since the stores in here were last known whole (rule M2): what was
  // written and not synced may be gone. Stays true over restarts until MarkRecovered().
  bool unclean_boot() const { return unclean_boot_; }
  DataIdentity identity() const;
  bool has_identity() const { return !identity().cluster_id.empty(); }

  // Durable on return. The same identity again is ok; kWrongCluster names both when it has another.
  Status SetIdentity(const std::string& cluster_id, ServerId server);
  // The stores have been opened and, after an unclean boot, repaired: from now on what they write
  // counts as written in this boot. Call at each start, after opening the stores.
  Status MarkRecovered();
  // Everything is closed and durable; the last act before the process ends.
  Status MarkCleanStop();
  // The disk cannot be trusted any more: no later start opens the directory, whatever the disk says
  // then. The kernel drops pages it could not write and reads them back as they were. Durable on
  // return; if it fails, nothing keeps the next start away.
  Status MarkDiskFailed(const Status& cause);

 private:
  DataDirectory(FileSystem& files, std::string path, std::string_view role, std::string boot_id);
  Status CheckDisk();
  Status Load();
  Status StartNewDirectory();
  Status Save(bool clean) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  FileSystem& files_;
  const std::string path_;
  const std::string role_;
  const std::string boot_id_;
  std::unique_ptr<DirectoryLock> lock_;
  std::string disk_uuid_;
  Incarnation incarnation_{0};
  bool clean_stop_ = true;
  bool unclean_boot_ = false;
  mutable absl::Mutex mu_;
  DataIdentity identity_ ABSL_GUARDED_BY(mu_);
  std::string stores_boot_id_ ABSL_GUARDED_BY(mu_);  // boot in which the stores were last whole
};

}  // namespace cairn
