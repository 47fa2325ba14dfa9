// Calls to the metaservers over gRPC: the one that answered last first, then the others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/cluster_link.h"
#include "rpc/grpc_channel.h"

namespace cairn {

// Thread-safe.
class MetaserverCalls final : public MetaserverCaller {
 public:
  // REQUIRES: at least one address.
  MetaserverCalls(const std::vector<Address>& addresses, std::shared_ptr<const TlsContext> tls);

  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response, Deadline deadline) override;

 private:
  std::vector<std::unique_ptr<GrpcChannel>> channels_;
  absl::Mutex mu_;
  size_t preferred_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace cairn
