// The calling side of the frame carrier.
#pragma once

#include <google/protobuf/message_lite.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cairn/v1/hello.pb.h"
#include "cairn/v1/methods.pb.h"
#include "common/clock.h"
#include "common/fault_plan.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/payload.h"
#include "rpc/tls.h"

namespace cairn {

// An answer whose body is not parsed yet.
struct RawReply {
  std::string body;
  Payload payload;

  template <typename Response>
  Result<Response> Parse() const {
    Response response;
    if (!response.ParseFromString(body)) {
      return Fail(ErrorCode::kCorruption, "the answer does not parse as {}",
                  response.GetTypeName());
    }
    return response;
  }
};

// One server, one connection, many calls in flight. Connects when first used and again after a
// failure (the name is resolved anew each time); a call never waits past its deadline. Calls are
// sent in the order they are made. Nothing is retried here: a broken connection fails its calls
// with kUnavailable, and the caller alone knows whether trying again is safe. Thread-safe.
class Channel {
 public:
  using Callback = std::function<void(Result<RawReply>)>;
  virtual ~Channel() = default;

  // Blocks this thread until the answer. A caller that is alone reads its own answer off the
  // socket: no other thread is woken.
  virtual Result<RawReply> CallRaw(v1::Method method, const google::protobuf::MessageLite& request,
                                   Payload payload, Deadline deadline) = 0;

  // Returns once the request is on its way or queued (connecting may block, bounded by the
  // deadline). `done` runs exactly once, on a thread of the poller or, when sending fails, on this
  // one; it must not block.
  virtual void CallAsync(v1::Method method, const google::protobuf::MessageLite& request,
                         Payload payload, Deadline deadline, Callback done) = 0;

  template <typename Response>
  Result<Response> Call(v1::Method method, const google::protobuf::MessageLite& request,
                        Deadline deadline) {
    ASSIGN_OR_RETURN(RawReply reply, CallRaw(method, request, {}, deadline));
    return reply.Parse<Response>();
  }

  virtual const Address& address() const = 0;
  // What the peer said of itself; empty before the first connect.
  virtual v1::Hello peer() const = 0;
  // Fails the calls under way with kCancelled and refuses new ones.
  virtual void Close() = 0;
};

class Poller;

struct ChannelOptions {
  // Stands in for the system's resolver in tests: "IP" strings for a host name.
  using Resolver = std::function<Result<std::vector<std::string>>(const std::string& host)>;

  v1::Hello hello;
  std::shared_ptr<const TlsContext> tls;  // null: plain TCP, for tests and benchmarks only
  Duration connect_timeout = std::chrono::seconds(5);
  FaultPlan* faults = nullptr;
  Resolver resolver;  // null: the system's
};

std::shared_ptr<Channel> MakeChannel(Address address, ChannelOptions options,
                                     std::shared_ptr<Poller> poller);

}  // namespace cairn
