// What lets this mount use the bytes of one file: a token for each right it was opened with. Opaque
// here; chunkservers look at them.
#pragma once

#include <string>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"

namespace cairn::client {

enum class TokenUse { kRead, kWrite, kSync };

// Guarded by the mutex of the inode's state.
struct FileTokens {
  struct Right {
    bool wanted = false;  // some handle was opened with it
    std::string token;    // empty: none was given, or it was not renewed
    v1::Caller opener;    // who may open the file again for it
  };
  Right read;
  Right write;
  bool renewing = false;
  BootTime renewed;  // when that ended last, well or not

  // The answer to an open(2) with these flags; one right more, or the same once more.
  void Learn(const std::string& token, int open_flags, const v1::Caller& opener);
  // For a sync any right is good.
  const std::string& For(TokenUse use) const;
};

}  // namespace cairn::client
