// A message as a number, for trace hashes.
#pragma once

#include <cstdint>

#include "raft/core/message.h"

namespace cairn::simulation {

uint64_t HashOf(const raft::Message& message);

}  // namespace cairn::simulation
