// What one client does and what must come of it. It alone uses its directory, and at most one
// request touches a name at a time, so it knows exactly what each answer has to be: this checks the
// whole system without knowing anything of logs. In the shared directory any answer may come.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/simulation/random.h"
#include "tests/simulation/service.h"

namespace cairn::simulation {

// A request and what its answer means.
struct Work {
  std::variant<v1::Command, LookupRequest> request;
  std::vector<size_t> names;  // busy meanwhile
  // Takes the answer in. What is wrong with it; empty: nothing.
  std::function<std::string(const Reply&)> finish;

  bool is_read() const { return std::holds_alternative<LookupRequest>(request); }
};

// Thread-compatible.
class ClientFiles {
 public:
  explicit ClientFiles(uint64_t client);

  void UseDirectories(uint64_t own, uint64_t shared);
  // nullopt: all names are busy. Those of the work are busy until it is finished or given up.
  std::optional<Work> Next(Random& random);
  void Finish(const Work& work);
  // Nobody knows whether it was run; it will not be any more.
  void GiveUp(const Work& work);
  std::string DirectoryName() const;

 private:
  struct Name {
    std::string name;
    bool is_directory = false;
    bool busy = false;
    bool known = true;   // otherwise only a read can tell
    uint64_t inode = 0;  // 0: there is none
    uint64_t size = 0;
  };
  std::optional<size_t> FreeName(Random& random, bool files_only);
  Work Draw(Random& random, size_t at);
  Work Make(size_t at);
  Work Remove(size_t at);
  Work Rename(size_t from, size_t to);
  Work Grow(Random& random, size_t at);
  Work Look(Random& random, size_t at);
  Work InShared(Random& random);
  std::string CheckRead(size_t at, const Reply& reply);

  uint64_t client_;
  uint64_t own_ = 0;
  uint64_t shared_ = 0;
  std::vector<Name> names_;
};

}  // namespace cairn::simulation
