#include "metaserver/operations/replies.h"

#include <algorithm>
#include <string>
#include <vector>

namespace cairn {

namespace {

Status CheckId(const v1::RequestId& id, const v1::SessionRecord& session) {
  if (id.sequence() < session.lowest_unanswered()) {
    return Status::Error(ErrorCode::kStaleRequest, "request {} of session {} was answered",
                         id.sequence(), id.session());
  }
  if (id.sequence() >> 63 != 0 || id.lowest_unanswered() > id.sequence() ||
      id.sequence() - std::max(id.lowest_unanswered(), session.lowest_unanswered()) >=
          kMaxOutstanding) {
    return Status::Error(ErrorCode::kInvalidArgument, "request {} with {} the lowest unanswered",
                         id.sequence(), id.lowest_unanswered());
  }
  return OkStatus();
}

// More than this are looked for instead of being erased blindly: the first request of a session may
// skip any number.
constexpr uint64_t kFewReplies = 64;

Status EraseReplies(SessionId session, uint64_t from, uint64_t end, MetadataTransaction& txn) {
  std::vector<std::string> found;
  RETURN_IF_ERROR(
      txn.Scan(schema::ReplyPrefix(session), schema::ReplyKey(session, from),
               [&, last = schema::ReplyKey(session, end)](std::string_view key, std::string_view) {
                 if (key >= last) return false;
                 found.emplace_back(key);
                 return true;
               }));
  for (std::string& key : found) txn.Erase(std::move(key));
  return OkStatus();
}

// Every request below `lowest` has been answered. Rows lie within kMaxOutstanding of the lowest
// one.
Status ForgetBelow(uint64_t lowest, v1::SessionRecord& session, MetadataTransaction& txn) {
  const SessionId id(session.id());
  const uint64_t from = session.lowest_unanswered();
  if (lowest - from > kFewReplies) {
    RETURN_IF_ERROR(EraseReplies(id, from, lowest, txn));
  } else {
    for (uint64_t at = from; at < lowest; ++at) txn.Erase(schema::ReplyKey(id, at));
  }
  session.set_lowest_unanswered(lowest);
  txn.Put(schema::SessionKey(id), session);
  return OkStatus();
}

v1::Outcome OutcomeOf(const v1::ReplyRecord& reply) {
  v1::Outcome outcome;
  outcome.set_code(reply.code());
  outcome.set_inode(reply.inode());
  outcome.set_still_open(reply.still_open());
  outcome.set_created(reply.created());
  outcome.set_replayed(true);
  return outcome;
}

}  // namespace

const v1::RequestId* RequestIdOf(const v1::Command& command) {
  switch (command.operation_case()) {
    case v1::Command::kSetAttributes:
      return &command.set_attributes().id();
    case v1::Command::kCreate:
      return &command.create().id();
    case v1::Command::kMakeNode:
      return &command.make_node().id();
    case v1::Command::kMakeDirectory:
      return &command.make_directory().id();
    case v1::Command::kMakeSymlink:
      return &command.make_symlink().id();
    case v1::Command::kLink:
      return &command.link().id();
    case v1::Command::kUnlink:
      return &command.unlink().id();
    case v1::Command::kRemoveDirectory:
      return &command.remove_directory().id();
    case v1::Command::kRename:
      return &command.rename().id();
    case v1::Command::kCommitWrite:
      return &command.commit_write().id();
    case v1::Command::kExtend:
      return &command.extend().id();
    case v1::Command::kEndExtend:
      return &command.end_extend().id();
    case v1::Command::kOpenTruncate:
      return &command.open_truncate().request().id();
    default:
      return nullptr;
  }
}

Result<std::optional<v1::Outcome>> FindReply(const v1::RequestId& id, MetadataTransaction& txn) {
  const SessionId session_id(id.session());
  ASSIGN_OR_RETURN(auto session, LoadRow<v1::SessionRecord>(txn, schema::SessionKey(session_id)));
  if (!session) return Fail(ErrorCode::kUnknownSession, "session {}", session_id);
  RETURN_IF_ERROR(CheckId(id, *session));
  if (id.lowest_unanswered() > session->lowest_unanswered()) {
    RETURN_IF_ERROR(ForgetBelow(id.lowest_unanswered(), *session, txn));
  }
  ASSIGN_OR_RETURN(auto reply,
                   LoadRow<v1::ReplyRecord>(txn, schema::ReplyKey(session_id, id.sequence())));
  std::optional<v1::Outcome> outcome;
  if (reply) outcome = OutcomeOf(*reply);
  return outcome;
}

bool HasReply(const ReadView& view, const v1::Command& command) {
  const v1::RequestId* id = RequestIdOf(command);
  if (id == nullptr || id->session() == 0) return false;
  const auto reply =
      LoadRow<v1::ReplyRecord>(view, schema::ReplyKey(SessionId(id->session()), id->sequence()));
  return reply && *reply;
}

// The text of an error stays out: another version may word it otherwise, and the states would
// differ (rule M7).
void StoreReply(const v1::RequestId& id, const v1::Outcome& outcome, MetadataTransaction& txn) {
  v1::ReplyRecord reply;
  reply.set_code(outcome.code());
  reply.set_inode(outcome.inode());
  reply.set_still_open(outcome.still_open());
  reply.set_created(outcome.created());
  txn.Put(schema::ReplyKey(SessionId(id.session()), id.sequence()), reply);
}

}  // namespace cairn
