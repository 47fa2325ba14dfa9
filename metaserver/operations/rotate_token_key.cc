#include <chrono>
#include <utility>
#include <vector>

#include "metaserver/operations/operations.h"
#include "metaserver/store/scan_rows.h"
#include "rpc/chunk_token.h"

namespace cairn {

namespace {

// The one in use, the one before it, whose tokens live on, and the one before that: it was in use
// until every chunkserver had its successor.
constexpr int kKeysKept = 3;

// A chunkserver that does not know a fence must not take a token that is older than it: those are
// gone with their key, and by their time.
Status EraseOldFences(const v1::TokenKeysRecord& kept, int64_t now, MetadataTransaction& txn) {
  const int64_t oldest_key = kept.keys(0).made().seconds();
  const int64_t newest = now - std::chrono::duration_cast<std::chrono::seconds>(kFenceKept).count();
  std::vector<std::string> old;
  RETURN_IF_ERROR(ScanRows<v1::Fence>(
      txn, schema::kFencePrefix, schema::kFencePrefix, [&](std::string_view key, v1::Fence fence) {
        const int64_t made = fence.time().seconds();
        if (made < oldest_key && made <= newest) old.emplace_back(key);
        return true;
      }));
  for (std::string& key : old) txn.Erase(std::move(key));
  return OkStatus();
}

}  // namespace

Result<v1::Outcome> RotateTokenKey(const v1::Command& command, MetadataTransaction& txn) {
  const v1::RotateTokenKeyCommand& rotate = command.rotate_token_key();
  if (rotate.secret().size() != kTokenKeyBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a token key of {} bytes", rotate.secret().size());
  }
  ASSIGN_OR_RETURN(auto row, LoadRow<v1::TokenKeysRecord>(txn, schema::TokenKeysKey()));
  v1::TokenKeysRecord record = row ? *std::move(row) : v1::TokenKeysRecord();
  auto& keys = *record.mutable_keys();
  const uint32_t last = keys.empty() ? 0 : keys.rbegin()->id();
  if (rotate.id() != last + 1) return v1::Outcome();  // somebody else made one meanwhile
  v1::TokenKey& key = *keys.Add();
  key.set_id(rotate.id());
  key.set_secret(rotate.secret());
  *key.mutable_made() = command.time();
  if (keys.size() > kKeysKept) keys.DeleteSubrange(0, keys.size() - kKeysKept);
  txn.Put(schema::TokenKeysKey(), record);
  RETURN_IF_ERROR(EraseOldFences(record, command.time().seconds(), txn));
  return v1::Outcome();
}

}  // namespace cairn
