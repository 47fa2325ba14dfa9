#include "common/status.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace cairn {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk: return "ok";
    case ErrorCode::kNotFound: return "not found";
    case ErrorCode::kExists: return "exists";
    case ErrorCode::kNotDirectory: return "not a directory";
    case ErrorCode::kIsDirectory: return "is a directory";
    case ErrorCode::kNotEmpty: return "not empty";
    case ErrorCode::kPermission: return "not permitted";
    case ErrorCode::kAccessDenied: return "access denied";
    case ErrorCode::kInvalidArgument: return "invalid argument";
    case ErrorCode::kNameTooLong: return "name too long";
    case ErrorCode::kNoSpace: return "no space";
    case ErrorCode::kFileTooBig: return "file too big";
    case ErrorCode::kTooManyLinks: return "too many links";
    case ErrorCode::kCrossDevice: return "cross device";
    case ErrorCode::kNotSupported: return "not supported";
    case ErrorCode::kReadOnly: return "read only";
    case ErrorCode::kStaleHandle: return "stale handle";
    case ErrorCode::kLoop: return "too many symbolic links";
    case ErrorCode::kNoData: return "no data";
    case ErrorCode::kRange: return "out of range";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kIoError: return "I/O error";
    case ErrorCode::kCorruption: return "corruption";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kDeadlineExceeded: return "deadline exceeded";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnimplemented: return "unimplemented";
    case ErrorCode::kUnauthenticated: return "unauthenticated";
    case ErrorCode::kTooLarge: return "too large";
    case ErrorCode::kWrongCluster: return "wrong cluster";
    case ErrorCode::kInternal: return "internal error";
    case ErrorCode::kStaleEpoch: return "stale epoch";
    case ErrorCode::kUnknownSession: return "unknown session";
    case ErrorCode::kStaleRequest: return "stale request";
    case ErrorCode::kNotLeader: return "not leader";
    case ErrorCode::kNotPrimary: return "not primary";
    case ErrorCode::kChunkMissing: return "chunk missing";
    case ErrorCode::kBelowMinActive: return "too few active copies";
    case ErrorCode::kDiskFailed: return "disk failed";
    case ErrorCode::kStaleGeneration: return "stale generation";
    case ErrorCode::kTokenRefused: return "token refused";
    case ErrorCode::kFenced: return "fenced";
  }
  return "unknown error";
}

int ErrnoFromCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk: return 0;
    case ErrorCode::kNotFound: return ENOENT;
    case ErrorCode::kExists: return EEXIST;
    case ErrorCode::kNotDirectory: return ENOTDIR;
    case ErrorCode::kIsDirectory: return EISDIR;
    case ErrorCode::kNotEmpty: return ENOTEMPTY;
    case ErrorCode::kPermission: return EPERM;
    case ErrorCode::kAccessDenied: return EACCES;
    case ErrorCode::kInvalidArgument: return EINVAL;
    case ErrorCode::kNameTooLong: return ENAMETOOLONG;
    case ErrorCode::kNoSpace: return ENOSPC;
    case ErrorCode::kFileTooBig: return EFBIG;
    case ErrorCode::kTooManyLinks: return EMLINK;
    case ErrorCode::kCrossDevice: return EXDEV;
    case ErrorCode::kNotSupported: return EOPNOTSUPP;
    case ErrorCode::kReadOnly: return EROFS;
    case ErrorCode::kStaleHandle: return ESTALE;
    case ErrorCode::kLoop: return ELOOP;
    case ErrorCode::kNoData: return ENODATA;
    case ErrorCode::kRange: return ERANGE;
    case ErrorCode::kBusy: return EBUSY;
    // Not ENOSYS: the kernel would take it for "never ask again".
    case ErrorCode::kUnimplemented: return EOPNOTSUPP;
    case ErrorCode::kDeadlineExceeded: return ETIMEDOUT;
    case ErrorCode::kCancelled: return EINTR;
    case ErrorCode::kUnauthenticated: return EACCES;
    case ErrorCode::kTooLarge: return EMSGSIZE;
    case ErrorCode::kIoError:
    case ErrorCode::kCorruption:
    case ErrorCode::kUnavailable:
    case ErrorCode::kWrongCluster:
    case ErrorCode::kInternal:
    case ErrorCode::kStaleEpoch:
    case ErrorCode::kUnknownSession:
    case ErrorCode::kStaleRequest:
    case ErrorCode::kNotLeader:
    case ErrorCode::kNotPrimary:
    case ErrorCode::kChunkMissing:
    case ErrorCode::kBelowMinActive:
    case ErrorCode::kDiskFailed:
    case ErrorCode::kStaleGeneration:
    case ErrorCode::kTokenRefused:
    case ErrorCode::kFenced: return EIO;
  }
  return EIO;
}

namespace {
ErrorCode CodeFromErrno(int error) {
  switch (error) {
    case 0: return ErrorCode::kOk;
    case ENOENT: return ErrorCode::kNotFound;
    case EEXIST: return ErrorCode::kExists;
    case ENOTDIR: return ErrorCode::kNotDirectory;
    case EISDIR: return ErrorCode::kIsDirectory;
    case ENOTEMPTY: return ErrorCode::kNotEmpty;
    case EPERM: return ErrorCode::kPermission;
    case EACCES: return ErrorCode::kAccessDenied;
    case EINVAL: return ErrorCode::kInvalidArgument;
    case ENAMETOOLONG: return ErrorCode::kNameTooLong;
    case ENOSPC:
    case EDQUOT: return ErrorCode::kNoSpace;
    case EFBIG: return ErrorCode::kFileTooBig;
    case EROFS: return ErrorCode::kReadOnly;
    case ETIMEDOUT: return ErrorCode::kDeadlineExceeded;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRINUSE:
    // This process or host is short of something; it says nothing about the disk or the peer.
    case EMFILE:
    case ENFILE:
    case ENOMEM: return ErrorCode::kUnavailable;
    default: return ErrorCode::kIoError;
  }
}
}  // namespace

Status Status::FromErrno(int error, std::string_view what) {
  return Status::Error(CodeFromErrno(error), "{}: {}", what,
                       std::generic_category().message(error));
}

std::string Status::ToString() const {
  if (message_.empty()) return std::string(ErrorCodeName(code_));
  return fmt::format("{}: {}", ErrorCodeName(code_), message_);
}

void internal::CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, condition);
  std::abort();
}

}  // namespace cairn
