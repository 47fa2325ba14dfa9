#include "chunkserver/chunkserver_config.h"

#include <unistd.h>

#include <array>
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

}  // namespace

Result<ChunkserverConfig> ParseChunkserverConfig(std::string name, std::string_view text) {
  ConfigReader reader(name, text);
  ChunkserverConfig config;
  config.directory = reader.RequiredString("directory");
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
