#include "cli/scrub_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace cairn {

std::string ScrubPassText(const v1::ScrubProgress& scrub) {
  const uint64_t total = std::max<uint64_t>(scrub.total_bytes(), 1);
  const uint64_t done = std::min(scrub.done_bytes(), total);
  const auto percent = static_cast<uint64_t>(100.0 * static_cast<double>(done) /
                                             static_cast<double>(total));
  std::string text = fmt::format("{} %", scrub.total_bytes() == 0 ? 100 : percent);
  if (scrub.found_blocks() > 0) {
    text += fmt::format(", {} found, {} mended", scrub.found_blocks(), scrub.mended_blocks());
  }
  if (scrub.differing_chunks() > 0) {
    text += fmt::format(", {} chunks made equal", scrub.differing_chunks());
  }
  return text;
}

std::string ScrubAgeText(const v1::ScrubProgress& scrub) {
  const uint64_t seconds = scrub.seconds_since_whole();
  if (seconds == 0) return "never";
  if (seconds >= 2 * 86400) return fmt::format("{} d", seconds / 86400);
  if (seconds >= 2 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} s", seconds);
}

bool IsScrubbed(const v1::ChunkserverStatus& server, uint64_t order) {
  return server.scrub().order() >= order && !server.scrub().running();
}

}  // namespace cairn
