// Every change of the state, one function and one file each. Pure: what decides is in the command
// and in the rows; no clock, no randomness, no I/O beyond the transaction (rule M7). A failed
// operation may leave changes behind in the transaction; ApplyCommand takes them back.
#pragma once

#include "cairn/v1/command.pb.h"
#include "common/status.h"
#include "metaserver/store/transaction.h"

namespace cairn {

// The cluster and its sessions.
Result<v1::Outcome> FoundCluster(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> OpenSession(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> CloseSession(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> RotateTokenKey(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> ReserveInodes(const v1::Command& command, MetadataTransaction& txn);

// The namespace. Outcome.inode is the inode made or changed; for those that take a name away, the
// one that lost it.
Result<v1::Outcome> SetAttributes(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> Create(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> MakeNode(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> MakeDirectory(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> MakeSymlink(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> Link(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> Unlink(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> RemoveDirectory(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> Rename(const v1::Command& command, MetadataTransaction& txn);

// Bytes of files.
Result<v1::Outcome> CommitWrite(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> Extend(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> EndExtend(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> OpenTruncate(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> ReleaseOrphan(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> RemoveOrphan(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> FinishTrim(const v1::Command& command, MetadataTransaction& txn);

// Servers and placement. Each change of the map takes the next map version.
Result<v1::Outcome> JoinServer(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> CreateGroups(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> UpdateGroups(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> ActivateGroups(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> SetPool(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> SetServer(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> RemoveServer(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> SetSettings(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> StartScrub(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> SetLayout(const v1::Command& command, MetadataTransaction& txn);
Result<v1::Outcome> NoteRepair(const v1::Command& command, MetadataTransaction& txn);

// The metaservers themselves.
Result<v1::Outcome> NameMetaserver(const v1::Command& command, MetadataTransaction& txn);

}  // namespace cairn
