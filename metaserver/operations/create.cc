#include <fcntl.h>
#include <sys/stat.h>

#include "metaserver/operations/access.h"
#include "metaserver/operations/extenders.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> Create(const v1::Command& command, MetadataTransaction& txn) {
  const v1::CreateRequest& request = command.create();
  ASSIGN_OR_RETURN(v1::InodeRecord parent,
                   LoadParent(txn, request.parent(), request.name(), request.caller()));
  ASSIGN_OR_RETURN(auto entry, FindEntry(txn, InodeId(request.parent()), request.name()));
  if (entry) {
    if ((request.flags() & O_EXCL) != 0) {
      return Fail(ErrorCode::kExists, "the name is taken in directory {}", request.parent());
    }
    // It came while this was on its way. Opening needs the file's holders to be known beforehand
    // (rule C11), so the proposer looks again.
    return Fail(ErrorCode::kBusy, "the name was taken meanwhile");
  }

  RETURN_IF_ERROR(CheckAccess(parent.attributes(), request.caller(), kMayWrite));
  const uint32_t mode = S_IFREG | (request.mode() & 07777);
  ASSIGN_OR_RETURN(v1::InodeRecord child, NewInode(command, txn, parent, request.caller(), mode));
  RETURN_IF_ERROR(AddFileMap(command, txn, parent, child));
  // Who makes a file writes it next, and all of that is past its size (rule L5).
  if (request.id().session() != 0 && (request.flags() & O_ACCMODE) != O_RDONLY) {
    v1::ChunkRun chunks;
    chunks.set_count(kChunksOfNewFile);
    RETURN_IF_ERROR(AddExtender(InodeId(command.new_inode()), SessionId(request.id().session()),
                                chunks, txn));
  }
  return StoreNewEntry(command, txn, parent, request.name(), child);
}

}  // namespace cairn
