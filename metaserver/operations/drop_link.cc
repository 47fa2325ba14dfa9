#include "metaserver/operations/drop_link.h"

#include <set>
#include <utility>

#include "metaserver/operations/extenders.h"
#include "metaserver/operations/runs.h"
#include "metaserver/operations/times.h"

namespace cairn {

namespace {

Result<std::set<uint64_t>> AllSessions(const MetadataTransaction& txn) {
  std::set<uint64_t> sessions;
  RETURN_IF_ERROR(txn.Scan(schema::kSessionPrefix, schema::kSessionPrefix,
                           [&](std::string_view key, std::string_view) {
                             sessions.insert(schema::KeyNumber(key.substr(1)));
                             return true;
                           }));
  return sessions;
}

// Those the proposer named, as far as they live. If it looked at another inode than the one that is
// here now, anybody may hold this one; whoever does not is released later.
Result<std::set<uint64_t>> Holders(const v1::Command& command, const v1::InodeRecord& inode,
                                   const MetadataTransaction& txn) {
  if (command.expected_victim() != inode.attributes().inode()) return AllSessions(txn);
  std::set<uint64_t> holders;
  for (uint64_t holder : command.holders()) {
    ASSIGN_OR_RETURN(auto row, txn.Get(schema::SessionKey(SessionId(holder))));
    if (row) holders.insert(holder);
  }
  return holders;
}

// Whoever is shut out by now may still write to it; the reaper waits for these fences and no later
// ones (rules L1, C11).
void PutOrphan(InodeId inode, v1::OrphanRecord orphan, MetadataTransaction& txn) {
  orphan.set_after_fence(txn.state().next_fence());
  txn.Put(schema::OrphanKey(inode), orphan);
}

// Nobody reads or writes the file any more. What waits to be trimmed goes with the rest, and so
// does what sessions that are gone wrote past the size.
Status BeginRemoval(v1::InodeRecord& inode, MetadataTransaction& txn) {
  const InodeId id(inode.attributes().inode());
  ASSIGN_OR_RETURN(auto trim, LoadRow<v1::TrimRecord>(txn, schema::TrimKey(id)));
  if (trim) {
    AddRuns(*inode.mutable_file()->mutable_runs(), trim->runs());
    txn.Erase(schema::TrimKey(id));
  }
  ASSIGN_OR_RETURN(const ChunkRuns untold, ChunksOfExtenders(id, txn));
  if (!untold.empty()) {
    AddRuns(*inode.mutable_file()->mutable_runs(), untold);
    txn.Erase(schema::ExtendKey(id));
  }
  if (inode.file().runs().empty()) {
    txn.Erase(schema::OrphanKey(id));
    txn.RemoveInode(inode);
    return OkStatus();
  }
  PutOrphan(id, v1::OrphanRecord(), txn);
  txn.StoreInode(inode);
  return OkStatus();
}

}  // namespace

Result<bool> DropLink(const v1::Command& command, v1::InodeRecord& inode,
                      MetadataTransaction& txn) {
  v1::Attributes& attributes = *inode.mutable_attributes();
  attributes.set_links(attributes.links() - 1);
  MarkChanged(inode, command.time());
  if (attributes.links() > 0) {
    txn.StoreInode(inode);
    return false;
  }
  if (!IsRegularFile(inode)) {
    txn.RemoveInode(inode);
    return false;
  }
  ASSIGN_OR_RETURN(const std::set<uint64_t> holders, Holders(command, inode, txn));
  if (holders.empty()) {
    RETURN_IF_ERROR(BeginRemoval(inode, txn));
    return false;
  }
  v1::OrphanRecord orphan;
  orphan.mutable_holders()->Add(holders.begin(), holders.end());
  PutOrphan(InodeId(attributes.inode()), std::move(orphan), txn);
  txn.StoreInode(inode);
  return true;
}

Status ReleaseHolder(InodeId inode, SessionId session, MetadataTransaction& txn) {
  const std::string key = schema::OrphanKey(inode);
  ASSIGN_OR_RETURN(auto orphan, LoadRow<v1::OrphanRecord>(txn, key));
  if (!orphan) return OkStatus();
  v1::OrphanRecord left;
  for (uint64_t holder : orphan->holders()) {
    if (holder != session.value) left.add_holders(holder);
  }
  if (left.holders_size() == orphan->holders_size()) return OkStatus();
  if (!left.holders().empty()) {
    PutOrphan(inode, std::move(left), txn);
    return OkStatus();
  }
  ASSIGN_OR_RETURN(v1::InodeRecord record, LoadInode(txn, inode));
  return BeginRemoval(record, txn);
}

}  // namespace cairn
