// One request to whichever metaserver answers.
#pragma once

#include <atomic>
#include <functional>
#include <utility>
#include <vector>

#include "rpc/channel_pool.h"

namespace cairn::client {

// Thread-safe.
class MetaserverLink {
 public:
  MetaserverLink(ChannelPool* channels, std::vector<Address> addresses)
      : channels_(channels), addresses_(std::move(addresses)) {}

  // Called, on any thread, whenever a metaserver did not answer. Set before the first call; must
  // not block.
  void OnTrouble(std::function<void()> observer) { on_trouble_ = std::move(observer); }

  struct Answer {
    Result<RawReply> reply;
    bool repeated = false;  // an earlier try may have been run without our hearing of it
  };
  // Tries the same request at one metaserver after the other, resting in between, until one answers
  // for good. kDeadlineExceeded names who failed last, and why.
  Answer Call(v1::Method method, const google::protobuf::MessageLite& request, Deadline deadline);

  template <typename Response>
  Result<Response> Fetch(v1::Method method, const google::protobuf::MessageLite& request,
                         Deadline deadline) {
    Answer answer = Call(method, request, deadline);
    RETURN_IF_ERROR(answer.reply);
    return answer.reply->Parse<Response>();
  }

 private:
  ChannelPool* const channels_;
  const std::vector<Address> addresses_;
  std::function<void()> on_trouble_;
  std::atomic<size_t> preferred_{0};
};

}  // namespace cairn::client
