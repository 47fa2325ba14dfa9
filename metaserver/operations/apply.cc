#include "metaserver/operations/apply.h"

#include "metaserver/operations/operations.h"
#include "metaserver/operations/replies.h"

namespace cairn {

namespace {

Result<v1::Outcome> Run(const v1::Command& command, MetadataTransaction& txn) {
  switch (command.operation_case()) {
    case v1::Command::kFoundCluster:
      return FoundCluster(command, txn);
    case v1::Command::kOpenSession:
      return OpenSession(command, txn);
    case v1::Command::kCloseSession:
      return CloseSession(command, txn);
    case v1::Command::kRotateTokenKey:
      return RotateTokenKey(command, txn);
    case v1::Command::kReserveInodes:
      return ReserveInodes(command, txn);
    case v1::Command::kSetAttributes:
      return SetAttributes(command, txn);
    case v1::Command::kCreate:
      return Create(command, txn);
    case v1::Command::kMakeNode:
      return MakeNode(command, txn);
    case v1::Command::kMakeDirectory:
      return MakeDirectory(command, txn);
    case v1::Command::kMakeSymlink:
      return MakeSymlink(command, txn);
    case v1::Command::kLink:
      return Link(command, txn);
    case v1::Command::kUnlink:
      return Unlink(command, txn);
    case v1::Command::kRemoveDirectory:
      return RemoveDirectory(command, txn);
    case v1::Command::kRename:
      return Rename(command, txn);
    case v1::Command::kCommitWrite:
      return CommitWrite(command, txn);
    case v1::Command::kExtend:
      return Extend(command, txn);
    case v1::Command::kEndExtend:
      return EndExtend(command, txn);
    case v1::Command::kOpenTruncate:
      return OpenTruncate(command, txn);
    case v1::Command::kReleaseOrphan:
      return ReleaseOrphan(command, txn);
    case v1::Command::kRemoveOrphan:
      return RemoveOrphan(command, txn);
    case v1::Command::kFinishTrim:
      return FinishTrim(command, txn);
    case v1::Command::kJoinServer:
      return JoinServer(command, txn);
    case v1::Command::kCreateGroups:
      return CreateGroups(command, txn);
    case v1::Command::kUpdateGroups:
      return UpdateGroups(command, txn);
    case v1::Command::kSetPool:
      return SetPool(command, txn);
    case v1::Command::kActivateGroups:
      return ActivateGroups(command, txn);
    case v1::Command::kSetServer:
      return SetServer(command, txn);
    case v1::Command::kRemoveServer:
      return RemoveServer(command, txn);
    case v1::Command::kSetSettings:
      return SetSettings(command, txn);
    case v1::Command::kNoteRepair:
      return NoteRepair(command, txn);
    case v1::Command::kSetLayout:
      return SetLayout(command, txn);
    case v1::Command::kStartScrub:
      return StartScrub(command, txn);
    case v1::Command::kNameMetaserver:
      return NameMetaserver(command, txn);
    case v1::Command::kMarkHash:
      return v1::Outcome();  // whoever applies the entry knows index and hash
    case v1::Command::OPERATION_NOT_SET:
      break;
  }
  return Fail(ErrorCode::kUnimplemented, "a command without an operation this version knows");
}

v1::Outcome FailedOutcome(const Status& status) {
  v1::Outcome outcome;
  outcome.set_code(static_cast<uint32_t>(status.code()));
  outcome.set_message(status.message());
  return outcome;
}

v1::Outcome RunOrRollBack(const v1::Command& command, MetadataTransaction& txn) {
  txn.Mark();
  Result<v1::Outcome> outcome = Run(command, txn);
  if (outcome) return *std::move(outcome);
  txn.RollBack();
  return FailedOutcome(outcome.error());
}

// "Busy" asks the client to try the same request again, so it must not become its answer.
bool IsFinal(const v1::Outcome& outcome) {
  return outcome.code() != static_cast<uint32_t>(ErrorCode::kBusy);
}

}  // namespace

v1::Outcome ApplyCommand(const v1::Command& command, MetadataTransaction& txn) {
  if (txn.state().cluster_id().empty() && !command.has_found_cluster()) {
    return FailedOutcome(Status(ErrorCode::kUnavailable, "the cluster is not founded"));
  }
  const v1::RequestId* id = RequestIdOf(command);
  if (id == nullptr || id->session() == 0) return RunOrRollBack(command, txn);

  Result<std::optional<v1::Outcome>> reply = FindReply(*id, txn);
  if (!reply) return FailedOutcome(reply.error());
  if (*reply) return **std::move(reply);
  v1::Outcome outcome = RunOrRollBack(command, txn);
  if (IsFinal(outcome)) StoreReply(*id, outcome, txn);
  return outcome;
}

}  // namespace cairn
