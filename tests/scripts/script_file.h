// A transcript: blocks of commands, a line of dashes and what they print. Lines that begin with '#'
// say what the file shows. The format is that of data-driven tests: what is printed is compared, or
// with rewriting on, put in place of what was expected.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"

namespace cairn::scripts {

struct Block {
  size_t line = 0;                    // of the first command
  std::vector<std::string> comments;  // before it, blank lines included
  std::vector<std::string> commands;
  std::string expected;  // whole lines
};

struct ScriptFile {
  std::vector<Block> blocks;
  std::vector<std::string> rest;  // comments behind the last block
};

Result<ScriptFile> ParseScript(const std::string& text);
std::string ToString(const ScriptFile& file);

}  // namespace cairn::scripts
