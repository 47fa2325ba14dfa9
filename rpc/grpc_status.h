// How a Status crosses gRPC: a fitting gRPC code for foreign clients, and our own code and message
// in the trailing metadata, so that our clients see the same Status as over frames.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "common/status.h"

namespace cairn {

inline constexpr char kCodeMetadata[] = "cairn-code";            // ErrorCode in decimal
inline constexpr char kMessageMetadata[] = "cairn-message-bin";  // cut to kMaxGrpcMessageBytes
inline constexpr size_t kMaxGrpcMessageBytes = 1024;  // trailing metadata holds 8 KiB in all

// The largest request or response.
inline constexpr int kMaxGrpcMessageSize = 4 << 20;

grpc::StatusCode GrpcCode(ErrorCode code);

// Adds the trailing metadata to `context`; the answer finishes the call. REQUIRES: !status.ok().
grpc::Status ToGrpc(const Status& status, grpc::ServerContextBase& context);

// A peer that sent no code, or one we do not know, is read by its gRPC code alone. `what` names the
// call and its peer.
Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context,
                const std::string& what);

// The bytes in one piece; no copy when they already are.
Result<grpc::Slice> Flatten(const grpc::ByteBuffer& buffer);

}  // namespace cairn
