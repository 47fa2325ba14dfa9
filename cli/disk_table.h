// Disks as rows for people, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cli/output.h"

namespace cairn {

// `led`: a leader told; what only a leader hears is "?" otherwise.
void PrintDisks(const std::vector<v1::ChunkserverStatus>& disks, bool led, const Console& console);
std::string DisksJson(const std::vector<v1::ChunkserverStatus>& disks, bool led);

}  // namespace cairn
