// Which cluster a verb speaks to. In this order: --dir, --cluster, $CAIRN_CLUSTER,
// /etc/cairn/client.toml, the default dev directory.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "rpc/address.h"
#include "rpc/tls.h"

namespace cairn {

inline constexpr uint16_t kMetaserverFramesPort = 7400;
inline constexpr uint16_t kMetaserverGrpcPort = 7401;

// What the command line said.
struct ClusterOptions {
  std::string directory;
  std::string cluster;
  std::string tls_directory;  // ca.crt, admin.crt, admin.key
  bool json = false;
};

// What the process was born into.
struct LookupEnvironment {
  std::string cluster;  // $CAIRN_CLUSTER
  std::string client_config = "/etc/cairn/client.toml";
  std::string default_directory;  // empty: neither $XDG_STATE_HOME nor $HOME is set

  static LookupEnvironment OfProcess();
};

struct ClusterAccess {
  std::vector<Address> metaservers;  // gRPC
  TlsFiles tls;
  std::string mount_source;  // as cairn-fuse takes it
  std::string directory;     // of a dev cluster; else empty
};

// Parses a client.toml: metaservers = ["HOST:PORT", ...], mount_source, [tls] ca, certificate, key.
Result<ClusterAccess> ParseClientConfig(const std::string& name, std::string_view text);

// kNotFound: nothing names a cluster. kInvalidArgument names the file or flag that is wrong.
Result<ClusterAccess> FindCluster(const ClusterOptions& options,
                                  const LookupEnvironment& environment);

// " --dir DIRECTORY", as a verb has to be told to mean that dev cluster; empty if it need not.
std::string DirOption(const std::string& directory, const LookupEnvironment& environment);

// The directory --dir means, absolute; the default one when it is empty.
Result<std::string> DevDirectory(const std::string& directory,
                                 const LookupEnvironment& environment);

}  // namespace cairn
