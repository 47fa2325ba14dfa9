#include "tests/scripts/script_file.h"

#include <sstream>
#include <utility>

namespace cairn::scripts {

namespace {

constexpr std::string_view kDashes = "----";

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool IsComment(const std::string& line) {
  return line.empty() || line.starts_with('#');
}

}  // namespace

Result<ScriptFile> ParseScript(const std::string& text) {
  ScriptFile file;
  const std::vector<std::string> lines = LinesOf(text);
  size_t at = 0;
  while (at < lines.size()) {
    Block block;
    while (at < lines.size() && IsComment(lines[at])) block.comments.push_back(lines[at++]);
    if (at == lines.size()) {
      file.rest = std::move(block.comments);
      break;
    }
    block.line = at + 1;
    while (at < lines.size() && lines[at] != kDashes) block.commands.push_back(lines[at++]);
    if (at++ == lines.size()) {
      return Fail(ErrorCode::kInvalidArgument, "line {}: commands without {}", block.line, kDashes);
    }
    while (at < lines.size() && !lines[at].empty()) block.expected += lines[at++] + "\n";
    file.blocks.push_back(std::move(block));
  }
  return file;
}

std::string ToString(const ScriptFile& file) {
  std::string text;
  for (const Block& block : file.blocks) {
    for (const std::string& line : block.comments) text += line + "\n";
    for (const std::string& line : block.commands) text += line + "\n";
    text += std::string(kDashes) + "\n" + block.expected;
  }
  for (const std::string& line : file.rest) text += line + "\n";
  return text;
}

}  // namespace cairn::scripts
