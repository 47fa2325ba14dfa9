// Calls of the Admin service, to one metaserver or to whichever leads.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cli/cluster_lookup.h"
#include "cli/survey.h"
#include "common/clock.h"
#include "common/status.h"
#include "rpc/grpc_channel.h"

namespace cairn {

// A verb that only asks has answered within two seconds, its own start and end included.
inline constexpr Duration kAskTime = std::chrono::milliseconds(1800);

// One that changes something waits so long for a leader.
inline constexpr Duration kChangeTime = std::chrono::seconds(10);

// A leader that is paused must not use up the whole time.
inline constexpr Duration kLongestTry = std::chrono::seconds(5);

// Confined to one thread.
class AdminClient {
 public:
  static Result<AdminClient> Open(const ClusterAccess& access);

  const std::vector<Address>& configured() const { return configured_; }
  // Made when first asked for, kept for the client's life; its calls may be made on any thread.
  GrpcChannel& ChannelTo(const Address& address);

  // `method` is "GetStatus".
  Status CallAt(const Address& address, const std::string& method,
                const google::protobuf::Message& request, google::protobuf::Message& response,
                Deadline deadline);
  // Looks for the leader and waits for one while anybody answers at all; sends the same request
  // again when its answer was lost, and for a while when a handover or another change of membership
  // is under way (kBusy); a TransferLeader is told that at once. kUnavailable names who did not
  // answer. One that has not answered after `longest_try` counts as gone.
  Status CallLeader(const std::string& method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Deadline deadline,
                    Duration longest_try = kLongestTry);
  // An earlier try of the last CallLeader may have been run without our hearing of it.
  bool repeated() const { return repeated_; }

 private:
  AdminClient() = default;
  // kDeadlineExceeded: nobody answered in time, but not all of them are down.
  Status FindLeader(Duration patience);

  std::vector<Address> configured_;
  std::shared_ptr<const TlsContext> tls_;
  std::map<std::string, std::unique_ptr<GrpcChannel>> channels_;
  std::optional<Address> leader_;
  bool repeated_ = false;
};

// Of the cluster that the options mean.
Result<AdminClient> OpenCluster(const ClusterOptions& options);

// Finds the cluster and asks its leader, or any metaserver if it does not answer. True: the leader.
Result<bool> AskCluster(const ClusterOptions& options, const std::string& method,
                        const google::protobuf::Message& request,
                        google::protobuf::Message& response);

}  // namespace cairn
