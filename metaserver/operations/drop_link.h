// What happens to an inode that loses a name, and to one that loses its last holder (rule C11).
#pragma once

#include "cairn/v1/command.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/store/transaction.h"

namespace cairn {

// Takes one name's link from something that is not a directory. True if it lost its last name and
// lives on because sessions hold it open.
Result<bool> DropLink(const v1::Command& command, v1::InodeRecord& inode, MetadataTransaction& txn);

// `session` no longer holds the orphan. Nothing happens if it is none of its holders.
Status ReleaseHolder(InodeId inode, SessionId session, MetadataTransaction& txn);

}  // namespace cairn
