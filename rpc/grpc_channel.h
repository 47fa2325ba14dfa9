// The calling side of the gRPC carrier. A call's ErrorCode survives the trip (it rides in the
// trailing metadata), so callers see the same Status as over frames.
#pragma once

#include <google/protobuf/message_lite.h>

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/tls.h"

namespace cairn {

// Thread-safe.
class GrpcChannel {
 public:
  static std::unique_ptr<GrpcChannel> Make(const Address& address,
                                           std::shared_ptr<const TlsContext> tls);
  virtual ~GrpcChannel() = default;

  // `method` is "/cairn.v1.Cluster/Heartbeat". Blocks until the answer or the deadline.
  virtual Status Call(const std::string& method, const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite& response, Deadline deadline) = 0;
};

}  // namespace cairn
