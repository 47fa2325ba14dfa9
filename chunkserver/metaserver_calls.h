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
  // Heard of besides those that were told: a group has at most nine.
  static constexpr size_t kMostHeardOf = 32;

  // REQUIRES: at least one address.
  MetaserverCalls(const std::vector<Address>& addresses, std::shared_ptr<const TlsContext> tls);

  // Each is given a part of the time, those that hung lately come last; what is left then goes to
  // those that hung. When nobody serves, the status is what the last one said.
  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response, Deadline deadline) override;
  // All of the group; those heard of before that are not in it are forgotten.
  void Learn(const MetaserverList& members) override;

 private:
  struct Peer {
    Peer(Address at, bool is_told, std::shared_ptr<const TlsContext> tls);
    const Address address;
    const bool told;
    const std::unique_ptr<GrpcChannel> channel;
    BootTime hung_at{};  // guarded by mu_
  };
  using PeerPointer = std::shared_ptr<Peer>;

  std::vector<PeerPointer> InOrder();
  Status Ask(const PeerPointer& peer, const std::string& method,
             const google::protobuf::MessageLite& request, google::protobuf::MessageLite& response,
             Deadline deadline);

  const std::shared_ptr<const TlsContext> tls_;
  absl::Mutex mu_;
  std::vector<PeerPointer> peers_ ABSL_GUARDED_BY(mu_);
  PeerPointer preferred_ ABSL_GUARDED_BY(mu_);  // answered last
};

}  // namespace cairn
