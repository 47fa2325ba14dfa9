// What verbs say of reading all that is stored.
#pragma once

#include <string>

#include "cairn/v1/admin.pb.h"

namespace cairn {

// "42 %, 3 found, 3 mended", "100 %".
std::string ScrubPassText(const v1::ScrubProgress& scrub);
// "3 d", "2 h", "45 s"; "never".
std::string ScrubAgeText(const v1::ScrubProgress& scrub);
// Whether the server has read all it stores for this order of an operator.
bool IsScrubbed(const v1::ChunkserverStatus& server, uint64_t order);

}  // namespace cairn
