#include "chunkserver/chunkserver_config.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>

#include "common/config.h"

namespace cairn {
namespace {

constexpr uint16_t kFramesPort = 7410;
constexpr uint16_t kMetaserverGrpcPort = 7401;

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

// Without "." and doubled or final slashes, so that one place has one name.
std::string Plain(const std::string& directory) {
  std::string plain = std::filesystem::path(directory).lexically_normal().string();
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

// Of two plain names.
bool Contains(const std::string& outer, const std::string& inner) {
  return outer == inner || inner.starts_with(outer == "/" ? outer : outer + "/");
}

// Why the last of `directories` cannot be a disk beside the others; empty: it can.
std::string Objection(const std::vector<std::string>& directories) {
  if (directories.back().empty()) return "a directory's name is empty";
  const std::string last = Plain(directories.back());
  for (size_t i = 0; i + 1 < directories.size(); ++i) {
    const std::string other = Plain(directories[i]);
    if (other == last) return fmt::format("'{}' is named twice", directories.back());
    if (Contains(other, last) || Contains(last, other)) {
      return fmt::format("'{}' and '{}' lie one in the other", directories[i], directories.back());
    }
  }
  return "";
}

// One disk under `directory`, or a list of them under `directories`.
std::vector<std::string> ReadDirectories(ConfigReader& reader) {
  if (!reader.Has("directories")) return {reader.RequiredString("directory")};
  if (reader.Has("directory")) {
    reader.Refuse("directories", "either 'directory' or 'directories', not both");
    (void)reader.String("directory", "");
  }
  const std::vector<std::string> named = reader.Strings("directories");
  if (named.empty()) reader.Refuse("directories", "'directories' names no directory");
  std::vector<std::string> directories;
  for (const std::string& directory : named) {
    directories.push_back(directory);
    const std::string why = Objection(directories);
    if (!why.empty()) reader.Refuse(fmt::format("directories[{}]", directories.size() - 1), why);
  }
  return directories;
}

}  // namespace

Result<ChunkserverConfig> ParseChunkserverConfig(std::string name, std::string_view text) {
  ConfigReader reader(name, text);
  ChunkserverConfig config;
  config.directories = ReadDirectories(reader);
  const std::string listen = reader.String("listen", "[::]:7410");
  config.unix_socket = reader.String("unix_socket", "");
  const std::vector<std::string> metaservers = reader.Strings("metaservers");
  config.host = reader.String("host", HostName());
  config.rack = reader.String("rack", "");
  config.tls.ca = reader.RequiredString("tls.ca");
  config.tls.certificate = reader.RequiredString("tls.certificate");
  config.tls.key = reader.RequiredString("tls.key");
  config.log.name = "chunkserver";
  config.log.file = reader.String("log.file", "");
  config.log.level = reader.String("log.level", "info");
  RETURN_IF_ERROR(reader.Finish());
  ASSIGN_OR_RETURN(config.listen, ParseAddress(listen, kFramesPort));
  if (metaservers.empty()) return Fail(ErrorCode::kInvalidArgument, "{}: no metaservers", name);
  for (const std::string& address : metaservers) {
    ASSIGN_OR_RETURN(Address parsed, ParseAddress(address, kMetaserverGrpcPort));
    config.metaservers.push_back(std::move(parsed));
  }
  return config;
}

}  // namespace cairn
