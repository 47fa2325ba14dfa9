#include "metaserver/service/birth_gate.h"

#include <memory>
#include <utility>

#include "cairn/v1/methods.pb.h"

namespace cairn {
namespace {

bool IsAdminMethod(int method) {
  return method >= v1::ADMIN_FOUND_CLUSTER && method <= v1::ADMIN_SET_FAULTS;
}

}  // namespace

Dispatcher MakeBirthGate(const Dispatcher& all, std::function<bool()> born) {
  Dispatcher gate;
  const google::protobuf::EnumDescriptor* methods = v1::Method_descriptor();
  for (int i = 0; i < methods->value_count(); ++i) {
    const int number = methods->value(i)->number();
    const bool open = IsAdminMethod(number);
    gate.HandleRaw(static_cast<v1::Method>(number),
                   [&all, born, open, number](std::shared_ptr<ServerCall> call) {
                     if (open || born()) {
                       all.Dispatch(static_cast<v1::Method>(number), std::move(call));
                     } else {
                       call->Fail(Status(ErrorCode::kUnavailable,
                                         "not founded: this metaserver has no cluster yet"));
                     }
                   });
  }
  return gate;
}

}  // namespace cairn
