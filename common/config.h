// Configuration files: TOML, every key declared by the program. An unknown key, a wrong type or a
// value out of range is an error that names file, line and column.
//   ConfigReader reader("metaserver.toml", text);
//   config.listen = reader.String("listen", "[::]:7400");
//   config.threads = reader.Integer("threads", 2, 1, 64);
//   RETURN_IF_ERROR(reader.Finish());
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace cairn {

// Confined to one thread. Errors are collected and told by Finish(), the first one in file order.
class ConfigReader {
 public:
  // `name` is what errors call the file. An empty text is an empty configuration.
  ConfigReader(std::string name, std::string_view text);
  ~ConfigReader();

  // A key may be dotted: "tls.certificate" is key certificate in table [tls].
  std::string String(std::string_view key, std::string_view fallback);
  std::string RequiredString(std::string_view key);
  int64_t Integer(std::string_view key, int64_t fallback, int64_t least, int64_t most);
  bool Boolean(std::string_view key, bool fallback);
  std::vector<std::string> Strings(std::string_view key);

  // For what one key alone does not tell. Has() does not count as reading the key.
  bool Has(std::string_view key) const;
  // An error at the place of the key, or of an element: "directories[1]". REQUIRES: it is there.
  void Refuse(std::string_view key, std::string text);

  // kInvalidArgument with "metaserver.toml:3:1: unknown key 'lisen'" for a syntax error, a key that
  // nobody read, or a bad value.
  Status Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cairn
