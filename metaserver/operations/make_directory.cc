#include <sys/stat.h>

#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> MakeDirectory(const v1::Command& command, MetadataTransaction& txn) {
  const v1::MakeDirectoryRequest& request = command.make_directory();
  ASSIGN_OR_RETURN(v1::InodeRecord parent,
                   LoadParentOfNew(txn, request.parent(), request.name(), request.caller()));
  // mkdir(2) takes the permission bits and the sticky bit; set-group-id comes from the parent.
  const uint32_t mode = S_IFDIR | (request.mode() & 01777);
  ASSIGN_OR_RETURN(v1::InodeRecord child, NewInode(command, txn, parent, request.caller(), mode));
  if (parent.has_layout_policy()) *child.mutable_layout_policy() = parent.layout_policy();
  return StoreNewEntry(command, txn, parent, request.name(), child);
}

}  // namespace cairn
