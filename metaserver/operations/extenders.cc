#include "metaserver/operations/extenders.h"

#include <algorithm>
#include <utility>

#include "metaserver/operations/file_cuts.h"

namespace cairn {

namespace {

using Sessions = google::protobuf::RepeatedField<uint64_t>;

void AddSession(Sessions& sessions, SessionId session) {
  const auto place = std::lower_bound(sessions.begin(), sessions.end(), session.value);
  if (place != sessions.end() && *place == session.value) return;
  const auto index = place - sessions.begin();
  sessions.Add(session.value);
  std::rotate(sessions.begin() + index, sessions.end() - 1, sessions.end());
}

// True if it was there.
bool RemoveSession(Sessions& sessions, SessionId session) {
  const auto place = std::lower_bound(sessions.begin(), sessions.end(), session.value);
  if (place == sessions.end() || *place != session.value) return false;
  sessions.erase(place);
  return true;
}

void AddChunks(const v1::ChunkRun& chunks, ChunkRuns& runs) {
  AddRun(runs, chunks.first(), uint64_t{chunks.first()} + chunks.count());
  if (runs.size() > kMaxExtendRuns) {
    AddRun(runs, runs[kMaxExtendRuns - 1].first(), EndOfRuns(runs));
  }
}

Result<bool> AnyLives(const Sessions& sessions, const MetadataTransaction& txn) {
  for (const uint64_t session : sessions) {
    ASSIGN_OR_RETURN(const auto row, txn.Get(schema::SessionKey(SessionId(session))));
    if (row) return true;
  }
  return false;
}

}  // namespace

Status AddExtender(InodeId inode, SessionId session, const v1::ChunkRun& chunks,
                   MetadataTransaction& txn) {
  const std::string key = schema::ExtendKey(inode);
  ASSIGN_OR_RETURN(auto row, LoadRow<v1::ExtendRecord>(txn, key));
  v1::ExtendRecord record = std::move(row).value_or(v1::ExtendRecord());
  AddSession(*record.mutable_sessions(), session);
  AddChunks(chunks, *record.mutable_runs());
  txn.Put(key, record);
  return OkStatus();
}

Result<bool> RemoveExtender(SessionId session, v1::InodeRecord& inode, MetadataTransaction& txn) {
  const std::string key = schema::ExtendKey(InodeId(inode.attributes().inode()));
  ASSIGN_OR_RETURN(auto row, LoadRow<v1::ExtendRecord>(txn, key));
  if (!row || !RemoveSession(*row->mutable_sessions(), session)) return false;
  if (row->sessions().empty()) {
    txn.Erase(key);
    return false;
  }
  txn.Put(key, *row);
  const Result<bool> cut = CutForTheGone(inode, txn);
  // Whoever wants to make the file longer tries again.
  if (!cut && cut.error().code() == ErrorCode::kBusy) return false;
  return cut;
}

Result<bool> CutForTheGone(v1::InodeRecord& inode, MetadataTransaction& txn) {
  const std::string key = schema::ExtendKey(InodeId(inode.attributes().inode()));
  ASSIGN_OR_RETURN(const auto row, LoadRow<v1::ExtendRecord>(txn, key));
  if (!row) return false;
  ASSIGN_OR_RETURN(const bool any_lives, AnyLives(row->sessions(), txn));
  if (any_lives) return false;
  RETURN_IF_ERROR(CutAtSize(inode, txn));
  txn.Erase(key);
  return true;
}

Result<ChunkRuns> ChunksOfExtenders(InodeId inode, const MetadataTransaction& txn) {
  ASSIGN_OR_RETURN(auto row, LoadRow<v1::ExtendRecord>(txn, schema::ExtendKey(inode)));
  return row ? std::move(*row->mutable_runs()) : ChunkRuns();
}

}  // namespace cairn
