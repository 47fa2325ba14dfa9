#include "metaserver/operations/drop_link.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> ReleaseOrphan(const v1::Command& command, MetadataTransaction& txn) {
  const v1::ReleaseOrphanCommand& release = command.release_orphan();
  RETURN_IF_ERROR(ReleaseHolder(InodeId(release.inode()), SessionId(release.session()), txn));
  v1::Outcome outcome;
  outcome.set_inode(release.inode());
  return outcome;
}

}  // namespace cairn
