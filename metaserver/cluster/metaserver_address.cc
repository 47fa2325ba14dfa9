#include "metaserver/cluster/metaserver_address.h"

#include "rpc/address.h"

namespace cairn {

namespace {

Result<std::string> FormatEndpoint(const v1::Endpoint& endpoint) {
  if (endpoint.host().empty() || endpoint.host().size() > kMaxHostBytes ||
      endpoint.host().find_first_of(" ,/") != std::string::npos || endpoint.port() == 0 ||
      endpoint.port() > kMaxPort) {
    return Fail(ErrorCode::kInvalidArgument, "'{}' port {} is not where a metaserver listens",
                endpoint.host().substr(0, kMaxHostBytes), endpoint.port());
  }
  return Address{endpoint.host(), static_cast<uint16_t>(endpoint.port()), ""}.ToString();
}

Result<v1::Endpoint> ParseEndpoint(std::string_view text) {
  ASSIGN_OR_RETURN(const Address address, ParseAddress(text, 0));
  v1::Endpoint endpoint;
  endpoint.set_host(address.host);
  endpoint.set_port(address.port);
  return endpoint;
}

}  // namespace

Result<std::string> FormatMetaserver(const v1::MetaserverAddress& address) {
  ASSIGN_OR_RETURN(const std::string frames, FormatEndpoint(address.frames()));
  ASSIGN_OR_RETURN(const std::string grpc, FormatEndpoint(address.grpc()));
  return frames + " " + grpc;
}

Result<v1::MetaserverAddress> ParseMetaserver(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return Fail(ErrorCode::kCorruption, "'{}' is not the address of a metaserver", text);
  }
  v1::MetaserverAddress address;
  ASSIGN_OR_RETURN(*address.mutable_frames(), ParseEndpoint(text.substr(0, space)));
  ASSIGN_OR_RETURN(*address.mutable_grpc(), ParseEndpoint(text.substr(space + 1)));
  return address;
}

}  // namespace cairn
