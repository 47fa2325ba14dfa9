#include "metaserver/metaserver_config.h"

#include <utility>

#include "common/config.h"

namespace cairn {
namespace {

constexpr uint16_t kFramesPort = 7400;
constexpr uint16_t kGrpcPort = 7401;

}  // namespace

Result<MetaserverConfig> ParseMetaserverConfig(std::string name, std::string_view text) {
  ConfigReader reader(std::move(name), text);
  MetaserverConfig config;
  config.directory = reader.RequiredString("directory");
  const std::string listen = reader.String("listen", "[::]:7400");
  const std::string grpc_listen = reader.String("grpc_listen", "[::]:7401");
  config.unix_socket = reader.String("unix_socket", "");
  config.tls.ca = reader.RequiredString("tls.ca");
  config.tls.certificate = reader.RequiredString("tls.certificate");
  config.tls.key = reader.RequiredString("tls.key");
  config.log.name = "metaserver";
  config.log.file = reader.String("log.file", "");
  config.log.level = reader.String("log.level", "info");
  RETURN_IF_ERROR(reader.Finish());
  ASSIGN_OR_RETURN(config.listen, ParseAddress(listen, kFramesPort));
  ASSIGN_OR_RETURN(config.grpc_listen, ParseAddress(grpc_listen, kGrpcPort));
  return config;
}

}  // namespace cairn
