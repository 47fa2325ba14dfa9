// Errors as values. A Status is an ErrorCode and a message that names the cause; a Result<T> is a T
// or the Status that prevented it. Codes are distinct per POSIX error, because absl's seventeen
// cannot tell ENOTEMPTY from ENOTDIR.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace cairn {

// Travels in frames and in reply rows on disk: never renumber, only append.
enum class ErrorCode : uint16_t {
  kOk = 0,
  // What a system call can answer.
  kNotFound = 1,
  kExists = 2,
  kNotDirectory = 3,
  kIsDirectory = 4,
  kNotEmpty = 5,
  kPermission = 6,      // EPERM: not the owner
  kAccessDenied = 7,    // EACCES: the mode bits say no
  kInvalidArgument = 8,
  kNameTooLong = 9,
  kNoSpace = 10,
  kFileTooBig = 11,
  kTooManyLinks = 12,
  kCrossDevice = 13,
  kNotSupported = 14,
  kReadOnly = 15,
  kStaleHandle = 16,    // ESTALE: the inode is gone
  kLoop = 17,
  kNoData = 18,         // ENODATA: no such extended attribute
  kRange = 19,          // ERANGE: the caller's buffer is too small
  kBusy = 20,
  // What can go wrong between processes.
  kIoError = 40,        // EIO from a disk, or every copy is gone
  kCorruption = 41,     // bytes do not match their checksum, or do not parse
  kUnavailable = 42,    // nobody answers, or the one who does may not serve; a retry may help
  kDeadlineExceeded = 43,
  kCancelled = 44,
  kUnimplemented = 45,  // the peer does not know this method
  kUnauthenticated = 46,
  kTooLarge = 47,       // a size from outside is over its limit
  kWrongCluster = 48,
  kInternal = 49,       // a broken promise of our own
  // What the planes say to each other.
  kStaleEpoch = 60,     // the placement group has moved on; fetch the map and try again
  kUnknownSession = 61,
  kStaleRequest = 62,   // a sequence below the lowest unanswered one: never run (rule M3)
  kNotLeader = 63,
  kNotPrimary = 64,
  kChunkMissing = 65,
  kBelowMinActive = 66, // too few active members to take a write
  kDiskFailed = 67,     // a disk that failed an fsync or answered EIO is not trusted again
  kStaleGeneration = 68,  // the file was cut since (rule C9); fetch its map and try again
  kTokenRefused = 69,   // none, run out, or of a key not known here; renew it and try again
  kFenced = 70,         // the session is shut out (rule L1)
};

std::string_view ErrorCodeName(ErrorCode code);

// The errno a system call should answer with. kOk is 0.
int ErrnoFromCode(ErrorCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  template <typename... Args>
  static Status Error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return Status(code, fmt::format(format, std::forward<Args>(args)...));
  }
  // `what` names the call and its object ("open /x/y"); the errno's text is appended.
  static Status FromErrno(int error, std::string_view what);

  bool ok() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  std::string ToString() const;

  friend bool operator==(const Status& a, const Status& b) { return a.code_ == b.code_; }

 private:
  ErrorCode code_ = ErrorCode::kOk;
  std::string message_;
};

inline Status OkStatus() { return Status(); }

template <typename T>
using Result = tl::expected<T, Status>;

// A Result from a code and a message: `return Fail(ErrorCode::kExists, "entry {}", name);`
template <typename... Args>
tl::unexpected<Status> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Status>(Status::Error(code, format, std::forward<Args>(args)...));
}
inline tl::unexpected<Status> Fail(Status status) {
  return tl::unexpected<Status>(std::move(status));
}

namespace internal {
inline Status&& StatusOf(Status&& status) { return std::move(status); }
inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.has_value() ? Status() : result.error();
}
// Lets one macro return from functions that answer Status and from those that answer Result<T>.
class StatusReturn {
 public:
  explicit StatusReturn(Status status) : status_(std::move(status)) {}
  operator Status() && { return std::move(status_); }  // NOLINT(google-explicit-constructor)
  template <typename T>
  operator Result<T>() && {  // NOLINT(google-explicit-constructor)
    return tl::unexpected<Status>(std::move(status_));
  }

 private:
  Status status_;
};
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace internal

#define CAIRN_CONCAT_INNER(a, b) a##b
#define CAIRN_CONCAT(a, b) CAIRN_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                                         \
  do {                                                                                      \
    if (::cairn::Status cairn_status = ::cairn::internal::StatusOf(expression);             \
        !cairn_status.ok()) {                                                               \
      return ::cairn::internal::StatusReturn(std::move(cairn_status));                      \
    }                                                                                       \
  } while (false)

#define ASSIGN_OR_RETURN(declaration, expression) \
  CAIRN_ASSIGN_OR_RETURN(CAIRN_CONCAT(cairn_result_, __LINE__), declaration, expression)
#define CAIRN_ASSIGN_OR_RETURN(result, declaration, expression)                             \
  auto result = (expression);                                                               \
  if (!result.has_value()) {                                                                \
    return ::cairn::internal::StatusReturn(std::move(result.error()));                      \
  }                                                                                         \
  declaration = std::move(*result)

// For promises of our own code, on in release builds: logs and aborts. Never for data from outside.
#define CAIRN_CHECK(condition)                                                              \
  do {                                                                                      \
    if (!(condition)) ::cairn::internal::CheckFailed(__FILE__, __LINE__, #condition);       \
  } while (false)

}  // namespace cairn

template <>
struct fmt::formatter<cairn::Status> : fmt::formatter<std::string> {
  template <typename Context>
  auto format(const cairn::Status& status, Context& context) const {
    return fmt::formatter<std::string>::format(status.ToString(), context);
  }
};
