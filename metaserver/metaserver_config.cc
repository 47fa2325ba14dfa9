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
  config.log_segment_bytes = static_cast<size_t>(reader.Integer(
      "raft.segment_bytes", int64_t{16} << 20, int64_t{64} << 10, int64_t{256} << 20));
  config.kept_log_bytes = static_cast<size_t>(reader.Integer(
      "raft.kept_log_bytes", int64_t{128} << 20, int64_t{64} << 10, int64_t{64} << 30));
  config.log.name = "metaserver";
  config.log.file = reader.String("log.file", "");
  config.log.level = reader.String("log.level", "info");
  RETURN_IF_ERROR(reader.Finish());
  ASSIGN_OR_RETURN(config.listen, ParseAddress(listen, kFramesPort));
  ASSIGN_OR_RETURN(config.grpc_listen, ParseAddress(grpc_listen, kGrpcPort));
  return config;
}

}  // namespace cairn
