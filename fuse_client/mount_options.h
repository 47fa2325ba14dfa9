// The words after -o, as mount(8) passes them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "client/mounted_file_system.h"
#include "common/logging.h"
#include "common/status.h"
#include "rpc/tls.h"

namespace cairn {

struct MountArguments {
  MountOptions mount;              // without tls and mount_point
  TlsFiles tls;
  LogOptions log;
  std::vector<std::string> kernel; // for the kernel and libfuse: "allow_other", "ro", ...
};

// `source` is HOST[:PORT][,HOST[:PORT]...] or unix:/PATH; `options` the comma-separated words,
// where '-' and '_' are the same. In both, "\," is a comma within a word and "\\" a backslash.
// Words that mount(8) and fstab use for themselves (_netdev, nofail, x-...) are passed over.
// kInvalidArgument names the word that is unknown or has a bad value.
Result<MountArguments> ParseMountArguments(std::string_view source, std::string_view options);

// Relative paths of certificates and of the log are meant from `directory`.
void ResolvePaths(MountArguments& arguments, const std::filesystem::path& directory);

}  // namespace cairn
