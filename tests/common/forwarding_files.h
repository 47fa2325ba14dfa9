// A FileSystem that hands on what changes nothing that a power cut could take: tests put themselves
// between the rest.
#pragma once

#include <string>
#include <vector>

#include "common/file.h"

namespace cairn {

// Thread-safe as `below` is, which must outlive it.
class ForwardingFiles : public FileSystem {
 public:
  explicit ForwardingFiles(FileSystem& below) : below_(below) {}

  Status MakeDirectory(const std::string& path) override { return below_.MakeDirectory(path); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return below_.List(directory);
  }
  bool Exists(const std::string& path) override { return below_.Exists(path); }
  Status SyncAll(const std::string& path) override { return below_.SyncAll(path); }
  Result<DiskSpace> Space(const std::string& path) override { return below_.Space(path); }

 protected:
  FileSystem& below_;
};

}  // namespace cairn
