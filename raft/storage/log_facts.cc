#include "raft/storage/log_facts.h"

#include <charconv>
#include <optional>

#include "common/crc32c.h"
#include "raft/storage/durable_file.h"

namespace cairn {

namespace {

constexpr std::string_view kFactsMagic = "cairn-log ";
constexpr uint64_t kFormat = 2;
constexpr std::string_view kNoBytes = "-";
constexpr size_t kMaxFactsBytes = 4 * kMaxFoundersBytes;

std::string ToHex(std::string_view bytes) {
  if (bytes.empty()) return std::string(kNoBytes);
  std::string hex;
  for (char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

std::string Encode(const LogFacts& facts) {
  std::string text = fmt::format(
      "{}{}\nincarnation {}\nterm {}\nvote {}\nsynced {}\nlost {}\nself {}\nfounders {}\n",
      kFactsMagic, kFormat, facts.incarnation, facts.hard_state.term, facts.hard_state.vote,
      facts.synced, facts.lost, facts.self, ToHex(facts.founders));
  return text + fmt::format("crc32c {:08x}\n", Crc32c(text.data(), text.size()));
}

// Takes lines "NAME VALUE" off the front, in a fixed order; what is not there makes it fail for
// good.
class LineParser {
 public:
  explicit LineParser(std::string_view text) : text_(text) {}

  std::string_view TakeText(std::string_view name) {
    const size_t end = text_.find('\n');
    if (end == std::string_view::npos || !text_.starts_with(name)) failed_ = true;
    if (failed_) return {};
    const std::string_view value = text_.substr(name.size(), end - name.size());
    text_.remove_prefix(end + 1);
    return value;
  }
  template <typename Integer>
  Integer TakeNumber(std::string_view name, int base = 10) {
    return ToNumber<Integer>(TakeText(name), base);
  }
  std::string TakeHex(std::string_view name) {
    const std::string_view hex = TakeText(name);
    std::string bytes;
    if (hex == kNoBytes) return bytes;
    for (size_t at = 0; at + 2 <= hex.size() && !failed_; at += 2) {
      bytes += static_cast<char>(ToNumber<uint8_t>(hex.substr(at, 2), 16));
    }
    return bytes;
  }
  bool failed() const { return failed_; }

 private:
  template <typename Integer>
  Integer ToNumber(std::string_view digits, int base) {
    Integer value = 0;
    const char* end = digits.data() + digits.size();
    if (std::from_chars(digits.data(), end, value, base).ptr != end) failed_ = true;
    return value;
  }

  std::string_view text_;
  bool failed_ = false;
};

// The format's number, if the text is a facts file of any format and matches its checksum.
std::optional<uint64_t> FormatOf(std::string_view text) {
  const size_t checked = text.rfind("crc32c ");
  if (checked == std::string_view::npos) return std::nullopt;
  LineParser checksum(text.substr(checked));
  const bool matches = checksum.TakeNumber<uint32_t>("crc32c ", 16) == Crc32c(text.data(), checked);
  LineParser lines(text);
  const auto format = lines.TakeNumber<uint64_t>(kFactsMagic);
  if (!matches || checksum.failed() || lines.failed()) return std::nullopt;
  return format;
}

std::optional<LogFacts> Decode(std::string_view text) {
  LineParser lines(text);
  LogFacts facts;
  lines.TakeText(kFactsMagic);
  facts.incarnation.value = lines.TakeNumber<uint64_t>("incarnation ");
  facts.hard_state.term.value = lines.TakeNumber<uint64_t>("term ");
  facts.hard_state.vote.value = lines.TakeNumber<uint32_t>("vote ");
  facts.synced.value = lines.TakeNumber<uint64_t>("synced ");
  facts.lost.value = lines.TakeNumber<uint64_t>("lost ");
  facts.self.value = lines.TakeNumber<uint32_t>("self ");
  facts.founders = lines.TakeHex("founders ");
  // Written again it must be the same bytes: that checks the checksum and every blank.
  if (lines.failed() || text != Encode(facts)) return std::nullopt;
  return facts;
}

}  // namespace

Result<LogFacts> LoadLogFacts(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, LoadFile(files, path));
  const std::optional<uint64_t> format =
      text.size() <= kMaxFactsBytes ? FormatOf(text) : std::nullopt;
  if (format && *format != kFormat) {
    return Fail(ErrorCode::kNotSupported, "{} has format {}, this program knows format {}", path,
                *format, kFormat);
  }
  std::optional<LogFacts> facts = format ? Decode(text) : std::nullopt;
  if (!facts) return Fail(ErrorCode::kCorruption, "{}: damaged", path);
  return *std::move(facts);
}

Status SaveLogFacts(FileSystem& files, const std::string& path, const LogFacts& facts) {
  CAIRN_CHECK(facts.founders.size() <= kMaxFoundersBytes);
  return ReplaceDurably(files, path, Encode(facts));
}

}  // namespace cairn
