#include "client/metaserver_link.h"

#include "client/backoff.h"

namespace cairn::client {

namespace {
// A metaserver that is paused must not use up the whole timeout.
constexpr Duration kLongestTry = std::chrono::seconds(5);
}  // namespace

MetaserverLink::Answer MetaserverLink::Call(v1::Method method,
                                            const google::protobuf::MessageLite& request,
                                            Deadline deadline) {
  Backoff backoff;
  bool repeated = false;
  for (;;) {
    size_t asked = preferred_.load();
    const Address& address = addresses_[asked % addresses_.size()];
    Result<RawReply> reply =
        channels_->Get(address)->CallRaw(method, request, {}, Earlier(deadline, kLongestTry));
    if (reply.has_value() || !IsTransient(reply.error().code())) {
      return {std::move(reply), repeated};
    }
    repeated = repeated || reply.error().code() != ErrorCode::kNotLeader;
    preferred_.compare_exchange_strong(asked, asked + 1);
    if (on_trouble_) on_trouble_();
    if (!backoff.Sleep(deadline)) {
      return {Fail(ErrorCode::kDeadlineExceeded, "no metaserver answered in time; {}: {}",
                   address.ToString(), reply.error().message()),
              repeated};
    }
  }
}

}  // namespace cairn::client
