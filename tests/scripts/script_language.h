// The commands of transcripts (tests/scripts/README.md).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/scripts/script_group.h"

namespace cairn::scripts {

// Thread-compatible.
class ScriptLanguage {
 public:
  // What the command prints; a command that cannot be done says why.
  std::string Run(const std::string& line);

 private:
  struct Words {
    std::string command;
    std::vector<std::string> plain;
    std::map<std::string, std::string> named;  // name=value
  };
  static Words Split(const std::string& line);
  Status Do(const Words& words);
  Status DoToGroup(const Words& words);
  Status DoToLinks(const Words& words);
  Status DoToMember(const Words& words);
  Status DoToLeader(const Words& words);
  Status MakeCluster(const Words& words);
  Status Show(const Words& words);
  void PrintStatus(const Words& words);
  Result<ServerId> MemberOf(const Words& words, bool running) const;

  std::unique_ptr<ScriptGroup> group_;
};

}  // namespace cairn::scripts
