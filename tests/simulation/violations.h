// The first promise that was broken in a run; the run ends with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cairn::simulation {

struct Violation {
  std::string rule;  // "M4", "leader completeness"
  std::string what;
};

// Thread-compatible.
class Violations {
 public:
  void Add(std::string_view rule, std::string what) {
    if (!first_) first_ = Violation{std::string(rule), std::move(what)};
  }
  const std::optional<Violation>& first() const { return first_; }

 private:
  std::optional<Violation> first_;
};

}  // namespace cairn::simulation
