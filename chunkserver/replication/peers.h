// The other chunkservers, by id. Everything replication sends goes through here, so that a test can
// stand its own transport in its place.
#pragma once

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <memory>

#include "cairn/v1/methods.pb.h"
#include "chunkserver/replication/group_table.h"
#include "common/clock.h"
#include "common/ids.h"
#include "rpc/channel.h"
#include "rpc/channel_pool.h"

namespace cairn {

// Thread-safe.
class Peers {
 public:
  virtual ~Peers() = default;

  // As Channel::CallAsync: calls to one server are sent in the order they are made, and `done` runs
  // exactly once. A server whose address is not known fails with kUnavailable.
  virtual void CallAsync(ServerId to, v1::Method method,
                         const google::protobuf::MessageLite& request, Payload payload,
                         Deadline deadline, Channel::Callback done) = 0;

  // Blocks until the answer: for worker threads.
  virtual Result<RawReply> CallRaw(ServerId to, v1::Method method,
                                   const google::protobuf::MessageLite& request, Payload payload,
                                   Deadline deadline) = 0;

  template <typename Response>
  Result<Response> Call(ServerId to, v1::Method method,
                        const google::protobuf::MessageLite& request, Deadline deadline) {
    ASSIGN_OR_RETURN(RawReply reply, CallRaw(to, method, request, {}, deadline));
    return reply.Parse<Response>();
  }
};

// Over frames, to the addresses of the map.
class ChannelPeers final : public Peers {
 public:
  ChannelPeers(const GroupTable& table, ChannelPool& channels)
      : table_(table), channels_(channels) {}

  void CallAsync(ServerId to, v1::Method method, const google::protobuf::MessageLite& request,
                 Payload payload, Deadline deadline, Channel::Callback done) override;
  Result<RawReply> CallRaw(ServerId to, v1::Method method,
                           const google::protobuf::MessageLite& request, Payload payload,
                           Deadline deadline) override;
  // Fails what is under way and refuses what comes.
  void Close();

 private:
  std::shared_ptr<Channel> Find(ServerId server);
  std::shared_ptr<Channel> ChannelTo(const ServerLocation& location);

  const GroupTable& table_;
  ChannelPool& channels_;
  std::atomic<bool> closed_{false};
};

}  // namespace cairn
