// gRPC server reflection for services that are served without generated gRPC code. The reflection
// plugin of gRPC lists only services registered with it, and ours are served generically.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace cairn {

inline constexpr char kReflectionService[] = "grpc.reflection.v1alpha.ServerReflection";
inline constexpr char kReflectionMethod[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

// The answer to one question, from the descriptors compiled into this program.
grpc::reflection::v1alpha::ServerReflectionResponse Reflect(
    const grpc::reflection::v1alpha::ServerReflectionRequest& request,
    const std::vector<std::string>& services);

// Answers questions until the client ends the stream. `services` must outlive the stream.
grpc::ServerGenericBidiReactor* NewReflectionStream(const std::vector<std::string>& services);

}  // namespace cairn
