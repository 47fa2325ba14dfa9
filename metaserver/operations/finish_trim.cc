#include "metaserver/operations/file_cuts.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> FinishTrim(const v1::Command& command, MetadataTransaction& txn) {
  const InodeId inode(command.finish_trim().inode());
  const uint64_t generation = command.finish_trim().generation();
  v1::Outcome outcome;
  outcome.set_inode(inode.value);
  ASSIGN_OR_RETURN(auto trim, LoadRow<v1::TrimRecord>(txn, schema::TrimKey(inode)));
  if (!trim) return outcome;  // the file went in the meantime
  ASSIGN_OR_RETURN(v1::InodeRecord record, LoadRegularFile(txn, inode));
  if (generation > record.file().generation()) {
    return Fail(ErrorCode::kInvalidArgument, "inode {} has no generation {} yet", inode,
                generation);
  }
  if (trim->generation() == generation) txn.Erase(schema::TrimKey(inode));
  FinishCuts(generation, record);
  txn.StoreInode(record);
  return outcome;
}

}  // namespace cairn
