#include "cli/quantities.h"

#include <charconv>
#include <ctime>
#include <limits>
#include <optional>

namespace cairn {

namespace {
struct Quantity {
  uint64_t number = 0;
  char unit = 0;
};

// Digits and one letter, nothing else.
std::optional<Quantity> SplitQuantity(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  Quantity quantity;
  quantity.unit = text.back();
  const char* end = text.data() + text.size() - 1;
  const auto [stopped, error] = std::from_chars(text.data(), end, quantity.number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return quantity;
}

// 0: no such unit.
uint64_t SecondsPer(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    default:
      return 0;
  }
}

uint64_t BytesPer(char unit) {
  switch (unit) {
    case 'K':
      return uint64_t{1} << 10;
    case 'M':
      return uint64_t{1} << 20;
    case 'G':
      return uint64_t{1} << 30;
    default:
      return 0;
  }
}

// Nothing: it is no number of these units, or too large for 63 bits.
std::optional<uint64_t> ParseQuantity(std::string_view text, uint64_t (*per)(char)) {
  const std::optional<Quantity> quantity = SplitQuantity(text);
  if (!quantity) return std::nullopt;
  const uint64_t factor = per(quantity->unit);
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (factor == 0 || quantity->number > kMost / factor) return std::nullopt;
  return quantity->number * factor;
}
}  // namespace

Result<std::chrono::seconds> ParseDuration(std::string_view text) {
  const std::optional<uint64_t> seconds = ParseQuantity(text, SecondsPer);
  if (seconds) return std::chrono::seconds(static_cast<int64_t>(*seconds));
  return Fail(ErrorCode::kInvalidArgument, "'{}' is no duration: 90s, 30m, 2h or 1d", text);
}

Result<uint64_t> ParseSize(std::string_view text) {
  const std::optional<uint64_t> size = ParseQuantity(text, BytesPer);
  if (size && *size > 0) return *size;
  return Fail(ErrorCode::kInvalidArgument, "'{}' is no size: 512K, 4M or 1G (in 1024s)", text);
}

Result<uint64_t> ParseRate(std::string_view text) {
  const std::optional<uint64_t> rate = ParseQuantity(text, BytesPer);
  if (rate && *rate > 0) return *rate;
  return Fail(ErrorCode::kInvalidArgument,
              "'{}' is no rate: 512K, 50M or 1G (bytes per second, in 1024s), or default", text);
}

std::string LocalTime(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::localtime_r(&time, &parts);
  char text[32];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return std::string(text, size);
}

}  // namespace cairn
