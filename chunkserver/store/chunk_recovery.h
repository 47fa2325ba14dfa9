// What a start finds: unsealed chunks, each verified block by block, and after an unclean stop
// files that never got a row.
#pragma once

#include "chunkserver/store/store_parts.h"

namespace cairn {

// REQUIRES: nobody uses the store yet.
Status RecoverChunks(StoreParts& parts, bool clean_stop);

}  // namespace cairn
