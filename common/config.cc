#include "common/config.h"

#include <toml++/toml.h>

#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace cairn {

namespace {
// Keys that are absent have no place in the file; they are told after those that have one.
constexpr toml::source_index kNowhere = std::numeric_limits<toml::source_index>::max();

bool Before(const toml::source_position& a, const toml::source_position& b) {
  return std::pair(a.line, a.column) < std::pair(b.line, b.column);
}
}  // namespace

struct ConfigReader::State {
  struct Problem {
    toml::source_position at;
    std::string text;
  };
  std::string name;
  toml::table root;
  std::set<std::string, std::less<>> known;  // every key the program has asked for
  std::optional<Problem> first;

  void Report(toml::source_position at, std::string text) {
    if (!first || Before(at, first->at)) first = Problem{at, std::move(text)};
  }

  const toml::node* Find(std::string_view key) {
    known.insert(std::string(key));
    return root.at_path(key).node();
  }

  void WrongType(const toml::node& node, std::string_view key, std::string_view wanted) {
    Report(node.source().begin, fmt::format("'{}' must be {}", key, wanted));
  }

  // Each leaf and each empty table must have been asked for.
  void CheckKnown(const toml::table& table, const std::string& prefix) {
    for (auto&& [key, node] : table) {
      std::string path = prefix + std::string(key.str());
      if (known.contains(path)) continue;
      const toml::table* inner = node.as_table();
      if (inner != nullptr && !inner->empty()) {
        CheckKnown(*inner, path + ".");
      } else if (IsTableOfKnown(path)) {
        if (inner == nullptr) WrongType(node, path, "a table");
      } else {
        Report(key.source().begin, fmt::format("unknown key '{}'", path));
      }
    }
  }

  bool IsTableOfKnown(const std::string& path) const {
    auto next = known.lower_bound(path + ".");
    return next != known.end() && next->starts_with(path + ".");
  }
};

ConfigReader::ConfigReader(std::string name, std::string_view text)
    : state_(std::make_unique<State>()) {
  state_->name = std::move(name);
  try {
    state_->root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    state_->Report(error.source().begin, std::string(error.description()));
  }
}

ConfigReader::~ConfigReader() = default;

std::string ConfigReader::String(std::string_view key, std::string_view fallback) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return std::string(fallback);
  if (const auto* value = node->as_string()) return value->get();
  state_->WrongType(*node, key, "a string");
  return std::string(fallback);
}

std::string ConfigReader::RequiredString(std::string_view key) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) {
    state_->Report({kNowhere, 1}, fmt::format("missing key '{}'", key));
    return {};
  }
  std::string value = String(key, "");
  if (value.empty()) state_->WrongType(*node, key, "a string that is not empty");
  return value;
}

int64_t ConfigReader::Integer(std::string_view key, int64_t fallback, int64_t least,
                              int64_t most) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return fallback;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= least && value->get() <= most) return value->get();
  state_->WrongType(*node, key, fmt::format("a whole number from {} to {}", least, most));
  return fallback;
}

bool ConfigReader::Boolean(std::string_view key, bool fallback) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return fallback;
  if (const auto* value = node->as_boolean()) return value->get();
  state_->WrongType(*node, key, "true or false");
  return fallback;
}

std::vector<std::string> ConfigReader::Strings(std::string_view key) {
  std::vector<std::string> values;
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return values;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    state_->WrongType(*node, key, "a list of strings");
    return values;
  }
  for (const toml::node& element : *array) {
    if (const auto* value = element.as_string()) {
      values.push_back(value->get());
    } else {
      state_->WrongType(element, key, "a list of strings");
    }
  }
  return values;
}

bool ConfigReader::Has(std::string_view key) const {
  return state_->root.at_path(key).node() != nullptr;
}

void ConfigReader::Refuse(std::string_view key, std::string text) {
  const toml::node* node = state_->root.at_path(key).node();
  CAIRN_CHECK(node != nullptr);
  state_->Report(node->source().begin, std::move(text));
}

Status ConfigReader::Finish() {
  state_->CheckKnown(state_->root, "");
  if (!state_->first) return OkStatus();
  const State::Problem& problem = *state_->first;
  if (problem.at.line == kNowhere) {
    return Status::Error(ErrorCode::kInvalidArgument, "{}: {}", state_->name, problem.text);
  }
  return Status::Error(ErrorCode::kInvalidArgument, "{}:{}:{}: {}", state_->name, problem.at.line,
                       problem.at.column, problem.text);
}

}  // namespace cairn
