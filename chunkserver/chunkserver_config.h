// chunkserver.toml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/logging.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/tls.h"

namespace cairn {

struct ChunkserverConfig {
  // directory: everything the server keeps; or directories: one for each of its disks.
  std::vector<std::string> directories;
  Address listen;           // listen: frames; port 0 picks a free one
  std::string unix_socket;  // unix_socket: for peers and clients on this host; may be empty
  std::vector<Address> metaservers;  // metaservers: their gRPC addresses
  std::string host;                  // host: how others reach this one; default gethostname()
  std::string rack;                  // rack: servers of one rack may fail together; may be empty
  TlsFiles tls;                      // [tls] ca, certificate, key
  LogOptions log;                    // [log] file, level
};

// kInvalidArgument names `name`, line and column, or the key that is missing.
Result<ChunkserverConfig> ParseChunkserverConfig(std::string name, std::string_view text);

}  // namespace cairn
