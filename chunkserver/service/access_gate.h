// Whether whoever sends a frame may use the bytes it names. TokenGate decides it; tests of what
// stands behind it let everybody in.
#pragma once

#include <string_view>

#include "cairn/v1/chunk.pb.h"
#include "chunkserver/replication/fence_list.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class AccessGate {
 public:
  virtual ~AccessGate() = default;

  // `token` has at least one of `rights` (rpc/chunk_token.h) on the inode of `chunk`, for writing
  // in the generation that it names, and its session is not shut out. The ticket is held until the
  // operation has ended. kFenced: the session is shut out. kTokenRefused: no such token, or it has
  // run out. kUnavailable: it is not known here yet whether it is good.
  virtual Result<SessionTicket> Admit(const v1::ChunkAddress& chunk, std::string_view token,
                                      uint32_t rights) = 0;
};

}  // namespace cairn
