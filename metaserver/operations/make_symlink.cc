#include <sys/stat.h>

#include "metaserver/operations/names.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> MakeSymlink(const v1::Command& command, MetadataTransaction& txn) {
  const v1::MakeSymlinkRequest& request = command.make_symlink();
  RETURN_IF_ERROR(CheckSymlinkTarget(request.target()));
  ASSIGN_OR_RETURN(v1::InodeRecord parent,
                   LoadParentOfNew(txn, request.parent(), request.name(), request.caller()));
  ASSIGN_OR_RETURN(v1::InodeRecord child,
                   NewInode(command, txn, parent, request.caller(), S_IFLNK | 0777));
  child.set_symlink_target(request.target());
  child.mutable_attributes()->set_size(request.target().size());
  return StoreNewEntry(command, txn, parent, request.name(), child);
}

}  // namespace cairn
