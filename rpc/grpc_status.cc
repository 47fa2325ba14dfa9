#include "rpc/grpc_status.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace cairn {

grpc::StatusCode GrpcCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk: return grpc::StatusCode::OK;
    case ErrorCode::kNotFound:
    case ErrorCode::kNoData:
    case ErrorCode::kChunkMissing: return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kExists: return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorCode::kPermission:
    case ErrorCode::kAccessDenied:
    case ErrorCode::kReadOnly:
    case ErrorCode::kFenced: return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNameTooLong:
    case ErrorCode::kLoop: return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kRange: return grpc::StatusCode::OUT_OF_RANGE;
    case ErrorCode::kNoSpace:
    case ErrorCode::kFileTooBig:
    case ErrorCode::kTooManyLinks:
    case ErrorCode::kTooLarge: return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::kNotDirectory:
    case ErrorCode::kIsDirectory:
    case ErrorCode::kNotEmpty:
    case ErrorCode::kCrossDevice:
    case ErrorCode::kStaleHandle:
    case ErrorCode::kBusy:
    case ErrorCode::kWrongCluster:
    case ErrorCode::kUnknownSession:
    case ErrorCode::kStaleRequest:
    case ErrorCode::kBelowMinActive: return grpc::StatusCode::FAILED_PRECONDITION;
    case ErrorCode::kStaleEpoch:
    case ErrorCode::kStaleGeneration: return grpc::StatusCode::ABORTED;
    case ErrorCode::kUnavailable:
    case ErrorCode::kNotLeader:
    case ErrorCode::kNotPrimary: return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kDeadlineExceeded: return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorCode::kCancelled: return grpc::StatusCode::CANCELLED;
    case ErrorCode::kNotSupported:
    case ErrorCode::kUnimplemented: return grpc::StatusCode::UNIMPLEMENTED;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kTokenRefused: return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorCode::kCorruption:
    case ErrorCode::kDiskFailed: return grpc::StatusCode::DATA_LOSS;
    case ErrorCode::kIoError:
    case ErrorCode::kInternal: return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::UNKNOWN;
}

namespace {
ErrorCode CodeFromGrpc(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return ErrorCode::kOk;
    case grpc::StatusCode::CANCELLED: return ErrorCode::kCancelled;
    case grpc::StatusCode::INVALID_ARGUMENT: return ErrorCode::kInvalidArgument;
    case grpc::StatusCode::DEADLINE_EXCEEDED: return ErrorCode::kDeadlineExceeded;
    case grpc::StatusCode::NOT_FOUND: return ErrorCode::kNotFound;
    case grpc::StatusCode::ALREADY_EXISTS: return ErrorCode::kExists;
    case grpc::StatusCode::PERMISSION_DENIED: return ErrorCode::kAccessDenied;
    case grpc::StatusCode::UNAUTHENTICATED: return ErrorCode::kUnauthenticated;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return ErrorCode::kTooLarge;
    case grpc::StatusCode::UNIMPLEMENTED: return ErrorCode::kUnimplemented;
    case grpc::StatusCode::UNAVAILABLE: return ErrorCode::kUnavailable;
    case grpc::StatusCode::DATA_LOSS: return ErrorCode::kCorruption;
    case grpc::StatusCode::OUT_OF_RANGE: return ErrorCode::kRange;
    default: return ErrorCode::kInternal;
  }
}

std::optional<std::string_view> TrailingValue(const grpc::ClientContext& context,
                                              const char* key) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

std::optional<ErrorCode> CodeFromMetadata(const grpc::ClientContext& context) {
  const auto text = TrailingValue(context, kCodeMetadata);
  if (!text) return std::nullopt;
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  const auto code = static_cast<ErrorCode>(number);
  if (error != std::errc() || end != text->data() + text->size() || code == ErrorCode::kOk ||
      ErrorCodeName(code) == "unknown error") {
    return std::nullopt;
  }
  return code;
}
}  // namespace

grpc::Status ToGrpc(const Status& status, grpc::ServerContextBase& context) {
  const std::string message = status.message().substr(0, kMaxGrpcMessageBytes);
  context.AddTrailingMetadata(kCodeMetadata,
                              std::to_string(static_cast<uint16_t>(status.code())));
  context.AddTrailingMetadata(kMessageMetadata, message);
  return {GrpcCode(status.code()), message};
}

Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context,
                const std::string& what) {
  if (status.ok()) return OkStatus();
  if (const auto code = CodeFromMetadata(context)) {
    return Status(*code, std::string(TrailingValue(context, kMessageMetadata).value_or("")));
  }
  return Status::Error(CodeFromGrpc(status.error_code()), "{}: {}", what, status.error_message());
}

Result<grpc::Slice> Flatten(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (buffer.Valid() && !buffer.TrySingleSlice(&slice).ok() &&
      !buffer.DumpToSingleSlice(&slice).ok()) {
    return Fail(ErrorCode::kInternal, "a gRPC message cannot be read");
  }
  return slice;
}

}  // namespace cairn
