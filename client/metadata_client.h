// Calls of the Metadata service. Questions may be asked twice; a change carries (session,
// sequence), so that it runs once however often it is sent (rule M3).
#pragma once

#include <utility>

#include "cairn/v1/metadata.pb.h"
#include "client/metaserver_link.h"
#include "client/session.h"

namespace cairn::client {

// Every call ends within the timeout. Thread-safe.
class MetadataClient {
 public:
  MetadataClient(MetaserverLink* link, Session* session, Duration timeout)
      : link_(link), session_(session), timeout_(timeout) {}

  template <typename Response, typename Request>
  Result<Response> Query(v1::Method method, const Request& request) {
    ASSIGN_OR_RETURN(RawReply reply, Ask(method, request, Deadline::After(timeout_)));
    return reply.Parse<Response>();
  }
  template <typename Response, typename Request>
  Result<Response> Query(v1::Method method, const Request& request, Deadline deadline) {
    ASSIGN_OR_RETURN(RawReply reply, Ask(method, request, deadline));
    return reply.Parse<Response>();
  }

  // `bound`: the session the change belongs to; when it is gone the answer is kIoError. 0:
  // whichever is current, and a new one when it turns out to be lost before the change can have
  // run.
  template <typename Response, typename Request>
  Result<Response> Change(v1::Method method, Request request, SessionId bound = SessionId{}) {
    ASSIGN_OR_RETURN(RawReply reply, Run(method, request, *request.mutable_id(), bound));
    return reply.Parse<Response>();
  }
  // As Change; says under which session it was run.
  template <typename Response, typename Request>
  Result<std::pair<Response, SessionId>> ChangeAndTell(v1::Method method, Request request) {
    ASSIGN_OR_RETURN(RawReply reply, Run(method, request, *request.mutable_id(), SessionId{}));
    ASSIGN_OR_RETURN(Response response, reply.Parse<Response>());
    return std::pair(std::move(response), SessionId(request.id().session()));
  }

  Session& session() { return *session_; }
  Duration timeout() const { return timeout_; }

 private:
  Result<RawReply> Ask(v1::Method method, const google::protobuf::MessageLite& request,
                       Deadline deadline);
  // `id` lies inside `request`.
  Result<RawReply> Run(v1::Method method, const google::protobuf::MessageLite& request,
                       v1::RequestId& id, SessionId bound);
  Result<SessionId> SessionFor(SessionId bound, Deadline deadline);

  MetaserverLink* const link_;
  Session* const session_;
  const Duration timeout_;
};

}  // namespace cairn::client
