#include "cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace cairn {

namespace {
// A line that wraps cannot be rewritten.
std::string CutToTerminal(const std::string& text) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return text;
  return text.substr(0, size.ws_col - 1u);
}
}  // namespace

void ProgressLine::Show(const std::string& text) {
  if (text == shown_) return;
  if (rewrite_) {
    console_.out << "\r\x1b[K" << CutToTerminal(text) << std::flush;
  } else {
    if (printed_ && clock_.Now() - *printed_ < kQuietTime) return;
    console_.out << text << "\n" << std::flush;
  }
  shown_ = text;
  printed_ = clock_.Now();
}

void ProgressLine::Clear() {
  if (rewrite_ && printed_) console_.out << "\r\x1b[K" << std::flush;
  printed_.reset();
  shown_.clear();
}

}  // namespace cairn
