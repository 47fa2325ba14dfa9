#include "cli/output.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "common/status.h"

namespace cairn {

std::string Paint(const Console& console, Colour colour, std::string_view text) {
  if (!console.colour || colour == Colour::kNone) return std::string(text);
  const int number = colour == Colour::kGood ? 32 : colour == Colour::kWarning ? 33 : 31;
  return fmt::format("\x1b[{}m{}\x1b[0m", number, text);
}

std::string FormatBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string CopiesText(uint32_t copies) {
  return fmt::format("{} {}", copies, copies == 1 ? "copy" : "copies");
}

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  CAIRN_CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
  return json;
}

std::string QuoteJson(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string JsonList(const std::vector<std::string>& items) {
  std::string list = "[";
  for (const std::string& item : items) list += (list.size() > 1 ? "," : "") + QuoteJson(item);
  return list + "]";
}

void Table::Add(std::vector<std::string> row, Colour colour) {
  CAIRN_CHECK(row.size() == header_.size());
  rows_.push_back({std::move(row), colour});
}

namespace {
std::string Line(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    line += i + 1 == cells.size() ? cells[i] : fmt::format("{:<{}}  ", cells[i], widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}
}  // namespace

void Table::Print(const Console& console) const {
  std::vector<size_t> widths;
  for (const std::string& title : header_) widths.push_back(title.size());
  for (const Row& row : rows_) {
    for (size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], row.cells[i].size());
    }
  }
  console.out << Line(header_, widths) << "\n";
  for (const Row& row : rows_) {
    console.out << Paint(console, row.colour, Line(row.cells, widths)) << "\n";
  }
}

}  // namespace cairn
