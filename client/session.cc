#include "client/session.h"

#include <pthread.h>

#include <optional>
#include <utility>

#include "cairn/v1/metadata.pb.h"
#include "client/backoff.h"
#include "common/logging.h"

namespace cairn::client {

namespace {
constexpr size_t kMostCloses = 1000;  // in one frame
// Closes wait a little for company: nobody waits for them.
constexpr Duration kCloseDelay = std::chrono::milliseconds(50);
constexpr Duration kKeeperPatience = std::chrono::seconds(2);
}  // namespace

Session::Session(MetaserverLink* link, SessionOptions options)
    : link_(link), options_(std::move(options)) {
  link_->OnTrouble([this] { CheckSoon(); });
}

Session::~Session() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (keeper_.joinable()) keeper_.join();
}

Status Session::Start(Deadline deadline) {
  RETURN_IF_ERROR(Ensure(deadline));
  keeper_ = std::thread([this] { Keep(); });
  return OkStatus();
}

void Session::Stop(Deadline deadline) {
  SessionId last;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    last = std::exchange(current_, SessionId{});
  }
  if (keeper_.joinable()) keeper_.join();
  if (last == SessionId{}) return;
  // What was written past a size and is committed is said to be: the end of the session would cut
  // such files, to no purpose.
  while (opens_.any_extended() && SendCloses(last)) {
  }
  v1::CloseSessionRequest request;
  request.set_session(last.value);
  Status closed = internal::StatusOf(
      link_->Fetch<v1::CloseSessionResponse>(v1::METADATA_CLOSE_SESSION, request, deadline));
  // Left open it costs a while until it expires, nothing more.
  if (!closed.ok()) LOG_WARN("session not closed session={} cause=\"{}\"", last, closed);
}

SessionId Session::Current() const {
  absl::MutexLock lock(&mu_);
  return current_;
}

std::string Session::cluster_id() const {
  absl::MutexLock lock(&mu_);
  return cluster_id_;
}

Result<SessionId> Session::Ensure(Deadline deadline) {
  if (SessionId current = Current(); current != SessionId{}) return current;
  RETURN_IF_ERROR(OpenAgain(deadline, SessionId{}));
  SessionId current = Current();
  if (current == SessionId{}) return Fail(ErrorCode::kUnavailable, "the session is being closed");
  return current;
}

// Also how open inodes are told again: the same client id finds the same session.
Status Session::OpenAgain(Deadline deadline, SessionId known) {
  {
    absl::MutexLock lock(&mu_);
    auto alone = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return !opening_; };
    if (!AwaitUntil(mu_, alone, deadline)) {
      return Status::Error(ErrorCode::kDeadlineExceeded, "opening the session takes too long");
    }
    if (current_ != known) return OkStatus();  // somebody else has done it meanwhile
    opening_ = true;
  }
  Status opened = SendOpen(deadline);
  absl::MutexLock lock(&mu_);
  opening_ = false;
  return opened;
}

Status Session::SendOpen(Deadline deadline) {
  v1::OpenSessionRequest request;
  request.set_client_id(options_.client_id);
  request.set_host(options_.host);
  request.set_mount_point(options_.mount_point);
  if (Current() != SessionId{}) {
    for (InodeId inode : opens_.Held()) request.add_open_inodes(inode.value);
  }
  ASSIGN_OR_RETURN(
      v1::OpenSessionResponse response,
      link_->Fetch<v1::OpenSessionResponse>(v1::METADATA_OPEN_SESSION, request, deadline));
  SessionId opened(response.session());
  if (opened == SessionId{}) {
    return Status::Error(ErrorCode::kCorruption, "the metaserver gave session 0");
  }
  if (options_.near_full != nullptr) options_.near_full->HeardOfCluster(response.near_full());
  opens_.Reset(opened);
  absl::MutexLock lock(&mu_);
  if (stopping_) return OkStatus();
  if (current_ != opened) LOG_INFO("session opened session={}", opened);
  current_ = opened;
  cluster_id_ = response.cluster_id();
  return OkStatus();
}

void Session::Lost(SessionId session) {
  {
    absl::MutexLock lock(&mu_);
    if (session == SessionId{} || current_ != session) return;
    current_ = SessionId{};
    check_soon_ = true;
  }
  LOG_WARN("session lost, files open under it answer EIO until closed session={}", session);
}

void Session::CheckSoon() {
  absl::MutexLock lock(&mu_);
  check_soon_ = true;
}

void Session::Release(SessionId session, InodeId inode, Extension::Standing extension) {
  opens_.Release(session, inode, extension);
  absl::MutexLock lock(&mu_);  // wakes the keeper, whose condition looks at the queue
}

void Session::Keep() {
  pthread_setname_np(pthread_self(), "client-session");
  Deadline renew = Deadline::After(options_.renew_interval);
  for (;;) {
    bool check = false;
    {
      absl::MutexLock lock(&mu_);
      auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return stopping_ || check_soon_ || opens_.queued() > 0;
      };
      AwaitUntil(mu_, due, renew);
      auto urgent = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return stopping_ || opens_.queued() >= kMostCloses;
      };
      AwaitUntil(mu_, urgent, Earlier(renew, kCloseDelay));
      if (stopping_) return;
      check = std::exchange(check_soon_, false);
    }
    if (check || renew.Passed()) {
      Renew();
      renew = Deadline::After(options_.renew_interval);
    }
    SendCloses(Current());
  }
}

void Session::Renew() {
  SessionId session = Current();
  if (session == SessionId{}) {
    // Opening is left to those who need a session: a mount that is not used opens none.
    link_->LearnMembers(Deadline::After(kKeeperPatience));
    return;
  }
  v1::RenewSessionRequest request;
  request.set_session(session.value);
  auto response = link_->Fetch<v1::RenewSessionResponse>(v1::METADATA_RENEW_SESSION, request,
                                                         Deadline::After(kKeeperPatience));
  if (!response.has_value()) {
    if (response.error().code() == ErrorCode::kUnknownSession) Lost(session);
    return;
  }
  if (options_.near_full != nullptr) options_.near_full->HeardOfCluster(response->near_full());
  if (response->reclaim()) {
    Status told = OpenAgain(Deadline::After(kKeeperPatience), session);
    if (!told.ok()) CheckSoon();
  }
  link_->LearnMembers(Deadline::After(kKeeperPatience));
}

bool Session::SendCloses(SessionId session) {
  v1::CloseRequest request;
  request.set_session(session.value);
  for (InodeId inode : opens_.TakeClosable(kMostCloses)) request.add_inodes(inode.value);
  if (request.inodes_size() == 0 || session == SessionId{}) {
    opens_.FinishClose(true);
    return false;
  }
  std::optional<HeldNumber> number;
  for (InodeId inode : opens_.ClosingExtended()) request.add_extended(inode.value);
  if (request.extended_size() > 0) {
    request.mutable_end_id()->set_session(session.value);
    number.emplace(numbers_, *request.mutable_end_id());
  }
  auto closed = link_->Fetch<v1::CloseResponse>(v1::METADATA_CLOSE, request,
                                                Deadline::After(kKeeperPatience));
  opens_.FinishClose(closed.has_value());
  if (closed.has_value()) return true;
  if (closed.error().code() == ErrorCode::kUnknownSession) Lost(session);
  return false;
}

}  // namespace cairn::client
