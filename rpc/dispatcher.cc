#include "rpc/dispatcher.h"

namespace cairn {

void Dispatcher::HandleRaw(v1::Method method, RawHandler handler) {
  bool is_new = handlers_.emplace(method, std::move(handler)).second;
  CAIRN_CHECK(is_new);
}

void Dispatcher::Dispatch(v1::Method method, std::shared_ptr<ServerCall> call) const {
  auto found = handlers_.find(method);
  if (found == handlers_.end()) {
    call->Fail(Status::Error(ErrorCode::kUnimplemented, "nobody handles method {} here",
                             static_cast<int>(method)));
    return;
  }
  found->second(std::move(call));
}

}  // namespace cairn
