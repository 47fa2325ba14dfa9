// What gRPC takes for TlsContext: the same files, both certificates, and TLS 1.3 only.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "rpc/tls.h"

namespace cairn {

// Without TLS when `tls` is null. Errors name the file that cannot be read.
Result<std::shared_ptr<grpc::ServerCredentials>> GrpcServerCredentials(const TlsContext* tls);
Result<std::shared_ptr<grpc::ChannelCredentials>> GrpcChannelCredentials(const TlsContext* tls);

}  // namespace cairn
