// metaserver.toml.
#pragma once

#include <string>
#include <string_view>

#include "common/logging.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/tls.h"

namespace cairn {

struct MetaserverConfig {
  std::string directory;    // directory: everything the server keeps
  Address listen;           // listen: frames; port 0 picks a free one
  Address grpc_listen;      // grpc_listen
  std::string unix_socket;  // unix_socket: frames, for clients on this host; may be empty
  TlsFiles tls;             // [tls] ca, certificate, key
  size_t kept_log_bytes = 128u << 20;    // raft.kept_log_bytes: for metaservers that were away
  size_t log_segment_bytes = 16u << 20;  // raft.segment_bytes
  LogOptions log;                        // [log] file, level
};

// kInvalidArgument names `name`, line and column, or the key that is missing.
Result<MetaserverConfig> ParseMetaserverConfig(std::string name, std::string_view text);

}  // namespace cairn
