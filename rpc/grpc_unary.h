// One unary gRPC call on its way to a handler of the Dispatcher.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "cairn/v1/methods.pb.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Reads the one request, hands it to `dispatcher` and deletes itself when gRPC is done with it. A
// call whose client went away is finished at once, so that a handler that answers late (or never)
// does not keep the server from stopping.
grpc::ServerGenericBidiReactor* NewUnaryCall(const Dispatcher& dispatcher, v1::Method method,
                                             grpc::GenericCallbackServerContext& context);

// Answers any call with `status`.
grpc::ServerGenericBidiReactor* NewRefusedCall(const Status& status,
                                               grpc::GenericCallbackServerContext& context);

}  // namespace cairn
