#include "metaserver/operations/operations.h"
#include "metaserver/store/scan_rows.h"

namespace cairn {

namespace {

constexpr size_t kMaxClientIdBytes = 256;
constexpr size_t kMaxClientHostBytes = 255;
constexpr size_t kMaxMountPointBytes = 4096;
// Of one user who may not speak for others. Each leaves a fence when it falls silent.
constexpr int kMaxSessionsOfUser = 64;

Status CheckRequest(const v1::OpenSessionCommand& open) {
  if (open.client_id().empty() || open.client_id().size() > kMaxClientIdBytes) {
    return Status::Error(ErrorCode::kInvalidArgument, "a client id of {} bytes",
                         open.client_id().size());
  }
  if (open.host().size() > kMaxClientHostBytes || open.mount_point().size() > kMaxMountPointBytes) {
    return Status(ErrorCode::kTooLarge, "the host or mount point of a session");
  }
  return OkStatus();
}

Status CheckCount(const v1::OpenSessionCommand& open, const MetadataTransaction& txn) {
  if (!open.has_user()) return OkStatus();
  int count = 0;
  RETURN_IF_ERROR(ScanRows<v1::SessionRecord>(
      txn, schema::kSessionPrefix, schema::kSessionPrefix,
      [&](std::string_view, const v1::SessionRecord& session) {
        count += session.has_user() && session.user() == open.user() ? 1 : 0;
        return count < kMaxSessionsOfUser;
      }));
  if (count < kMaxSessionsOfUser) return OkStatus();
  return Status::Error(ErrorCode::kBusy, "user {} has {} mounts already", open.user(), count);
}

}  // namespace

Result<v1::Outcome> OpenSession(const v1::Command& command, MetadataTransaction& txn) {
  const v1::OpenSessionCommand& open = command.open_session();
  RETURN_IF_ERROR(CheckRequest(open));
  v1::Outcome outcome;
  const std::string client_key = schema::ClientKey(open.client_id());
  ASSIGN_OR_RETURN(const auto known, txn.Get(client_key));
  if (known) {
    const SessionId id(schema::KeyNumber(*known));
    ASSIGN_OR_RETURN(const auto session, LoadRow<v1::SessionRecord>(txn, schema::SessionKey(id)));
    if (open.has_user() && (!session || session->user() != open.user())) {
      return Fail(ErrorCode::kPermission, "the session of client {} is not user {}'s",
                  open.client_id(), open.user());
    }
    outcome.set_session(id.value);
    return outcome;
  }
  RETURN_IF_ERROR(CheckCount(open, txn));
  outcome.set_session(txn.state().next_session());
  txn.mutable_state().set_next_session(outcome.session() + 1);
  v1::SessionRecord session;
  session.set_id(outcome.session());
  session.set_client_id(open.client_id());
  session.set_host(open.host());
  session.set_mount_point(open.mount_point());
  *session.mutable_opened() = command.time();
  if (open.has_user()) session.set_user(open.user());
  txn.Put(schema::SessionKey(SessionId(outcome.session())), session);
  txn.PutNumber(client_key, outcome.session());
  return outcome;
}

}  // namespace cairn
