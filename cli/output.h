// What people and scripts read: tidy tables, sizes in MiB and GiB, colour on a terminal only, JSON.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;  // `out` is a terminal: lines may be rewritten, too
};

enum class Colour { kNone, kGood, kWarning, kBad };

std::string Paint(const Console& console, Colour colour, std::string_view text);

// "0 B", "4.0 KiB", "16.0 MiB", "1.5 GiB", "2.0 TiB".
std::string FormatBytes(uint64_t bytes);

// "1 copy", "3 copies".
std::string CopiesText(uint32_t copies);

// All fields, also those with their default value, under their proto names; 64-bit numbers are
// strings, as protobuf defines.
std::string ToJson(const google::protobuf::Message& message);
std::string QuoteJson(std::string_view text);
// A JSON array of strings.
std::string JsonList(const std::vector<std::string>& items);

// Columns as wide as their widest cell, two blanks between. Colours do not count as width.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void Add(std::vector<std::string> row, Colour colour = Colour::kNone);
  bool empty() const { return rows_.empty(); }
  void Print(const Console& console) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Colour colour;
  };
  const std::vector<std::string> header_;
  std::vector<Row> rows_;
};

}  // namespace cairn
