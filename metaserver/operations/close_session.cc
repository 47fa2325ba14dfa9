#include <algorithm>
#include <vector>

#include "metaserver/operations/drop_link.h"
#include "metaserver/operations/extenders.h"
#include "metaserver/operations/operations.h"
#include "metaserver/store/scan_rows.h"

namespace cairn {

namespace {

Status ReleaseOrphans(SessionId session, MetadataTransaction& txn) {
  std::vector<InodeId> orphans;
  RETURN_IF_ERROR(txn.Scan(schema::kOrphanPrefix, schema::kOrphanPrefix,
                           [&](std::string_view key, std::string_view) {
                             orphans.emplace_back(schema::KeyNumber(key.substr(1)));
                             return true;
                           }));
  for (InodeId orphan : orphans) RETURN_IF_ERROR(ReleaseHolder(orphan, session, txn));
  return OkStatus();
}

// The session's row is gone, and whatever it wrote past a size and did not commit goes (rule L5).
// A file that cannot be cut yet is cut by whoever makes it longer.
Status CutItsFiles(SessionId session, MetadataTransaction& txn) {
  std::vector<InodeId> extended;
  RETURN_IF_ERROR(ScanRows<v1::ExtendRecord>(
      txn, schema::kExtendPrefix, schema::kExtendPrefix,
      [&](std::string_view key, const v1::ExtendRecord& record) {
        const auto& sessions = record.sessions();
        if (std::binary_search(sessions.begin(), sessions.end(), session.value)) {
          extended.emplace_back(schema::KeyNumber(key.substr(1)));
        }
        return true;
      }));
  for (const InodeId id : extended) {
    ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadInode(txn, id));
    const Result<bool> cut = CutForTheGone(inode, txn);
    if (!cut && cut.error().code() != ErrorCode::kBusy) return cut.error();
    if (cut.value_or(false)) txn.StoreInode(inode);
  }
  return OkStatus();
}

Status EraseReplies(SessionId session, MetadataTransaction& txn) {
  std::vector<std::string> keys;
  const std::string prefix = schema::ReplyPrefix(session);
  RETURN_IF_ERROR(txn.Scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  }));
  for (std::string& key : keys) txn.Erase(std::move(key));
  return OkStatus();
}

// In the same command as all that the session held: nothing of it can pass on before the fence is
// known to exist (rules L1, C11).
void ShutOut(SessionId session, const v1::Time& time, MetadataTransaction& txn) {
  v1::Fence fence;
  fence.set_sequence(txn.state().next_fence() + 1);
  fence.set_session(session.value);
  *fence.mutable_time() = time;
  txn.Put(schema::FenceKey(fence.sequence()), fence);
  txn.mutable_state().set_next_fence(fence.sequence());
}

}  // namespace

Result<v1::Outcome> CloseSession(const v1::Command& command, MetadataTransaction& txn) {
  const SessionId id(command.close_session().session());
  v1::Outcome outcome;
  outcome.set_session(id.value);
  ASSIGN_OR_RETURN(auto session, LoadRow<v1::SessionRecord>(txn, schema::SessionKey(id)));
  if (!session) return outcome;  // closed before
  txn.Erase(schema::SessionKey(id));
  txn.Erase(schema::ClientKey(session->client_id()));
  if (command.close_session().fence()) ShutOut(id, command.time(), txn);
  RETURN_IF_ERROR(EraseReplies(id, txn));
  RETURN_IF_ERROR(CutItsFiles(id, txn));
  RETURN_IF_ERROR(ReleaseOrphans(id, txn));
  return outcome;
}

}  // namespace cairn
