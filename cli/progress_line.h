// How far something is while a verb waits: one line that is rewritten on a terminal; elsewhere a
// line when something changed, at most one per kQuietTime. Confined to one thread.
#pragma once

#include <optional>
#include <string>

#include "cli/output.h"
#include "common/clock.h"

namespace cairn {

class ProgressLine {
 public:
  static constexpr Duration kQuietTime = std::chrono::seconds(5);

  ProgressLine(const Console& console, const Clock& clock, bool rewrite)
      : console_(console), clock_(clock), rewrite_(rewrite) {}
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const std::string& text);
  // Takes a line that is rewritten away, before something else is printed.
  void Clear();

 private:
  const Console& console_;
  const Clock& clock_;
  const bool rewrite_;
  std::string shown_;
  std::optional<BootTime> printed_;
};

}  // namespace cairn
