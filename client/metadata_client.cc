#include "client/metadata_client.h"

#include "client/backoff.h"

namespace cairn::client {

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
  const Deadline deadline = Deadline::After(timeout_);
  Backoff backoff;
  HeldNumber number(session_->numbers(), id);
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
    if (!backoff.Sleep(deadline)) return Fail(std::move(status));
    // kBusy is not kept with its number. While an earlier try may lie in the log unanswered the
    // number stays: under another one the change could run a second time.
    if (!repeated) number.Renew();
  }
}

}  // namespace cairn::client
