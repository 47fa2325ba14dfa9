#include "client/metadata_client.h"

#include "client/backoff.h"

namespace cairn::client {

RequestNumbers::RequestNumbers() {
  WallTime now = SystemClock().WallNow();
  next_ = static_cast<uint64_t>(now.seconds) * 1'000'000'000 + now.nanoseconds;
}

RequestNumbers::Number RequestNumbers::Begin() {
  absl::MutexLock lock(&mu_);
  uint64_t sequence = next_++;
  unanswered_.insert(sequence);
  return {sequence, *unanswered_.begin()};
}

void RequestNumbers::End(uint64_t sequence) {
  absl::MutexLock lock(&mu_);
  unanswered_.erase(sequence);
}

Result<RawReply> MetadataClient::Ask(v1::Method method,
                                     const google::protobuf::MessageLite& request,
                                     Deadline deadline) {
  Backoff backoff;
  for (;;) {
    Result<RawReply> reply = link_->Call(method, request, deadline).reply;
    bool busy = !reply.has_value() && reply.error().code() == ErrorCode::kBusy;
    if (!busy || !backoff.Sleep(deadline)) return reply;
  }
}

Result<SessionId> MetadataClient::SessionFor(SessionId bound, Deadline deadline) {
  if (bound == SessionId{}) return session_->Ensure(deadline);
  if (session_->Current() == bound) return bound;
  return Fail(ErrorCode::kIoError, "session {} was lost", bound);
}

Result<RawReply> MetadataClient::Run(v1::Method method,
                                     const google::protobuf::MessageLite& request,
                                     v1::RequestId& id, SessionId bound) {
  const RequestNumbers::Number number = numbers_.Begin();
  id.set_sequence(number.sequence);
  id.set_lowest_unanswered(number.lowest_unanswered);
  Result<RawReply> reply = RunNumbered(method, request, id, bound);
  // Also when nobody answered: below the lowest unanswered number it can never run any more.
  numbers_.End(number.sequence);
  return reply;
}

Result<RawReply> MetadataClient::RunNumbered(v1::Method method,
                                             const google::protobuf::MessageLite& request,
                                             v1::RequestId& id, SessionId bound) {
  const Deadline deadline = Deadline::After(timeout_);
  Backoff backoff;
  bool repeated = false;
  for (;;) {
    ASSIGN_OR_RETURN(SessionId session, SessionFor(bound, deadline));
    id.set_session(session.value);
    MetaserverLink::Answer answer = link_->Call(method, request, deadline);
    if (answer.reply.has_value()) return std::move(answer.reply);
    repeated = repeated || answer.repeated;
    Status status = std::move(answer.reply.error());
    if (status.code() == ErrorCode::kUnknownSession) {
      session_->Lost(session);
      if (repeated) {
        return Fail(ErrorCode::kIoError, "session {} was lost while a change was under way",
                    session);
      }
    } else if (status.code() != ErrorCode::kBusy) {
      return Fail(std::move(status));
    }
    // kBusy is not kept with its number, and an earlier try may lie in the log unanswered: under
    // another number the change could run a second time.
    if (!backoff.Sleep(deadline)) return Fail(std::move(status));
  }
}

}  // namespace cairn::client
