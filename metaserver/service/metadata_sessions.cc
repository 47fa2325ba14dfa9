#include <utility>

#include "common/logging.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/service/peer_rights.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {
std::optional<uint32_t> UserOf(const v1::OpenSessionCommand& open) {
  return open.has_user() ? std::optional(open.user()) : std::nullopt;
}
}  // namespace

// Runs before what was applied can be seen, so that whoever looks up a new file's holders finds the
// one who made it.
void MetadataService::Observe(const v1::Command& command, const v1::Outcome& outcome) {
  if (outcome.code() != 0 || !leads_) return;
  switch (command.operation_case()) {
    case v1::Command::kOpenSession:
      return sessions_.Add(SessionId(outcome.session()), UserOf(command.open_session()));
    case v1::Command::kCloseSession:
      return sessions_.Remove(SessionId(outcome.session()));
    case v1::Command::kCreate:
      if (!outcome.created()) return;  // the outcome of another request under the same number
      return sessions_.RegisterNew(SessionId(command.create().id().session()),
                                   InodeId(outcome.inode()));
    default:
      return;
  }
}

void MetadataService::OpenSession(Call<v1::OpenSessionRequest, v1::OpenSessionResponse> call) {
  if (static_cast<size_t>(call.request().open_inodes_size()) > kMaxOpenFiles) {
    return call.Fail(Status(ErrorCode::kTooLarge, "a session with too many open files"));
  }
  v1::Command command;
  v1::OpenSessionCommand& open = *command.mutable_open_session();
  open.set_client_id(call.request().client_id());
  open.set_host(call.request().host());
  open.set_mount_point(call.request().mount_point());
  if (const auto user = ConfinedTo(call.peer())) open.set_user(*user);
  Propose(std::move(command), [this, call](Result<v1::Outcome> outcome) {
    if (!outcome) return call.Fail(outcome.error());
    const SessionId session(outcome->session());
    std::vector<InodeId> held;
    for (uint64_t inode : call.request().open_inodes()) held.emplace_back(inode);
    if (sessions_.Reclaim(session, held)) ReleaseOrphansOf(session);
    Result<v1::StateRecord> state = LoadState(*state_.View());
    if (!state) return call.Fail(state.error());
    v1::OpenSessionResponse response;
    response.set_session(session.value);
    response.set_cluster_id(state->cluster_id());
    response.set_near_full(space_.NearFull());
    response.set_life_ms(static_cast<uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(timing::kSessionLife).count()));
    LOG_INFO("session opened session={} host={} mount={}", session, call.request().host(),
             call.request().mount_point());
    call.Reply(response);
  });
}

void MetadataService::RenewSession(Call<v1::RenewSessionRequest, v1::RenewSessionResponse> call) {
  const SessionId session(call.request().session());
  if (Status status = Hear(call.peer(), session); !status.ok()) return call.Fail(status);
  v1::RenewSessionResponse response;
  response.set_reclaim(!sessions_.IsReclaimed(session));
  response.set_near_full(space_.NearFull());
  call.Reply(response);
}

void MetadataService::CloseSession(Call<v1::CloseSessionRequest, v1::CloseSessionResponse> call) {
  // A retry after the session has ended is answered by apply.
  if (!IsTrusted(call.peer())) {
    Status status = Hear(call.peer(), SessionId(call.request().session()));
    if (!status.ok()) return call.Fail(status);
  }
  v1::Command command;
  command.mutable_close_session()->set_session(call.request().session());
  Propose(std::move(command), [call](const Result<v1::Outcome>& outcome) {
    if (!outcome) return call.Fail(outcome.error());
    LOG_INFO("session closed session={}", call.request().session());
    call.Reply({});
  });
}

void MetadataService::OnLeadership(bool leads) {
  leads_ = leads;
  if (!leads) return;
  // A store that cannot be read has stopped the process before this.
  const Status restored = sessions_.Restore(*state_.View());
  if (!restored.ok()) LOG_ERROR("sessions not known error={}", restored);
}

void MetadataService::ExpireSilentSessions() {
  if (!state_.Serves()) return;
  for (SessionId session : sessions_.TakeSilent()) CloseSilent(session);
}

void MetadataService::CloseSilent(SessionId session) {
  v1::Command command;
  command.mutable_close_session()->set_session(session.value);
  // It may be alive and write still: what it held passes on after every chunkserver knows (L1).
  command.mutable_close_session()->set_fence(true);
  Propose(std::move(command), [this, session](const Result<v1::Outcome>& outcome) {
    if (outcome) {
      LOG_WARN("session was silent and is closed session={}", session);
    } else {
      sessions_.KeepAfterAll(session);
    }
  });
}

}  // namespace cairn
