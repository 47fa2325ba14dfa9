#include "common/fault_plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace cairn {

namespace {
constexpr std::pair<std::string_view, FaultOperation> kOperations[] = {
    {"read", FaultOperation::kRead}, {"write", FaultOperation::kWrite},
    {"sync", FaultOperation::kSync}, {"open", FaultOperation::kOpen},
    {"send", FaultOperation::kSend}, {"receive", FaultOperation::kReceive},
    {"connect", FaultOperation::kConnect},
};
constexpr std::pair<std::string_view, FaultKind> kKinds[] = {
    {"delay", FaultKind::kDelay}, {"eio", FaultKind::kIoError}, {"enospc", FaultKind::kNoSpace},
    {"torn", FaultKind::kTorn},   {"drop", FaultKind::kDrop},   {"cut", FaultKind::kCut},
    {"crash", FaultKind::kCrash},
};

template <typename Value, size_t N>
bool Lookup(const std::pair<std::string_view, Value> (&table)[N], std::string_view name,
            Value& out) {
  for (const auto& [known, value] : table) {
    if (known == name) {
      out = value;
      return true;
    }
  }
  return false;
}

bool ParseNumber(std::string_view text, uint32_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseDuration(std::string_view text, std::chrono::milliseconds& out) {
  uint32_t unit_ms = 1;
  if (text.ends_with("ms")) {
    text.remove_suffix(2);
  } else if (text.ends_with("s")) {
    text.remove_suffix(1);
    unit_ms = 1000;
  } else {
    return false;
  }
  uint32_t count = 0;
  if (!ParseNumber(text, count)) return false;
  out = std::chrono::milliseconds(uint64_t{count} * unit_ms);
  return true;
}

// Cuts the first word off `line`.
std::string_view NextWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

bool ParseKind(std::string_view word, FaultRule& rule) {
  std::string_view name = word.substr(0, word.find('='));
  if (!Lookup(kKinds, name, rule.kind)) return false;
  if (rule.kind != FaultKind::kDelay) return name.size() == word.size();
  return name.size() < word.size() && ParseDuration(word.substr(name.size() + 1), rule.delay);
}

bool ParseSetting(std::string_view word, FaultRule& rule) {
  size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  std::string_view key = word.substr(0, equals);
  std::string_view value = word.substr(equals + 1);
  if (key == "skip") return ParseNumber(value, rule.skip);
  if (key == "times") return ParseNumber(value, rule.times);
  if (key != "where") return false;
  rule.where = value;
  return true;
}

Result<FaultRule> ParseRule(std::string_view line, int number) {
  FaultRule rule;
  std::string_view word = NextWord(line);
  if (!Lookup(kOperations, word, rule.operation)) {
    return Fail(ErrorCode::kInvalidArgument, "fault rule {}: unknown operation '{}'", number, word);
  }
  word = NextWord(line);
  if (!ParseKind(word, rule)) {
    return Fail(ErrorCode::kInvalidArgument, "fault rule {}: unknown fault '{}'", number, word);
  }
  for (word = NextWord(line); !word.empty(); word = NextWord(line)) {
    if (!ParseSetting(word, rule)) {
      return Fail(ErrorCode::kInvalidArgument, "fault rule {}: bad setting '{}'", number, word);
    }
  }
  return rule;
}
}  // namespace

void FaultPlan::Set(std::vector<FaultRule> rules) {
  absl::MutexLock lock(&mu_);
  rules_.clear();
  for (FaultRule& rule : rules) rules_.push_back({std::move(rule), 0});
  armed_.store(!rules_.empty(), std::memory_order_relaxed);
}

std::optional<FaultRule> FaultPlan::Match(FaultOperation operation, std::string_view where) {
  if (!armed_.load(std::memory_order_relaxed)) return std::nullopt;
  absl::MutexLock lock(&mu_);
  for (Armed& armed : rules_) {
    const FaultRule& rule = armed.rule;
    if (rule.operation != operation || where.find(rule.where) == std::string_view::npos) continue;
    uint32_t earlier = armed.matched++;
    if (earlier < rule.skip) continue;
    if (rule.times == 0 || earlier - rule.skip < rule.times) return rule;
  }
  return std::nullopt;
}

Result<std::vector<FaultRule>> ParseFaultRules(std::string_view text) {
  std::vector<FaultRule> rules;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string_view rest = line;
    std::string_view first = NextWord(rest);
    if (first.empty() || first.starts_with('#')) continue;
    ASSIGN_OR_RETURN(FaultRule rule, ParseRule(line, number));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace cairn
