#include "chunkserver/metaserver_calls.h"

#include <utility>

namespace cairn {
namespace {
bool AskAnother(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kNotLeader ||
         code == ErrorCode::kDeadlineExceeded;
}
}  // namespace

MetaserverCalls::MetaserverCalls(const std::vector<Address>& addresses,
                                 std::shared_ptr<const TlsContext> tls) {
  for (const Address& address : addresses) channels_.push_back(GrpcChannel::Make(address, tls));
}

Status MetaserverCalls::Call(const std::string& method,
                             const google::protobuf::MessageLite& request,
                             google::protobuf::MessageLite& response, Deadline deadline) {
  size_t first = 0;
  {
    absl::MutexLock lock(&mu_);
    first = preferred_;
  }
  Status status;
  for (size_t tried = 0; tried < channels_.size(); ++tried) {
    const size_t index = (first + tried) % channels_.size();
    // One that hangs must leave time for the others.
    const auto share = deadline.Left() / static_cast<int64_t>(channels_.size() - tried);
    status = channels_[index]->Call(method, request, response, Deadline::After(share));
    if (AskAnother(status.code())) continue;
    absl::MutexLock lock(&mu_);
    preferred_ = index;
    return status;
  }
  return status;
}

}  // namespace cairn
