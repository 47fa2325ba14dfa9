// Calls of the Admin service to whichever metaserver answers.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cli/cluster_lookup.h"
#include "common/clock.h"
#include "common/status.h"
#include "rpc/grpc_channel.h"

namespace cairn {

// A verb that only asks has answered within two seconds, its own start and end included.
inline constexpr Duration kAskTime = std::chrono::milliseconds(1800);

// Confined to one thread.
class AdminClient {
 public:
  static Result<AdminClient> Open(const ClusterAccess& access);

  // `method` is "GetStatus". Metaservers are asked one after the other until one answers at all;
  // the time is shared between those not asked yet. kUnavailable names each that did not answer.
  Status Call(const std::string& method, const google::protobuf::Message& request,
              google::protobuf::Message& response, Deadline deadline);

 private:
  struct Peer {
    std::string name;
    std::unique_ptr<GrpcChannel> channel;
  };
  std::vector<Peer> peers_;
};

// Finds the cluster and asks it once.
Status AskCluster(const ClusterOptions& options, const std::string& method,
                  const google::protobuf::Message& request, google::protobuf::Message& response);

// Births the cluster (DESIGN 10); the same id again succeeds. The caller becomes the owner of /.
Status FoundCluster(AdminClient& client, const std::string& cluster_id, uint32_t copies,
                    uint32_t min_active, Deadline deadline);

}  // namespace cairn
