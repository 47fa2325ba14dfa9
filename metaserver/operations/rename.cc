#include <optional>

#include "metaserver/operations/access.h"
#include "metaserver/operations/drop_link.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/times.h"

namespace cairn {

namespace {

constexpr uint32_t kNoReplace = 1;  // RENAME_NOREPLACE
constexpr uint32_t kExchange = 2;   // RENAME_EXCHANGE

// Everything a rename reads, and the parents it writes.
struct Move {
  v1::InodeRecord from_parent;
  std::optional<v1::InodeRecord> other_parent;  // absent: both names are in one directory
  v1::InodeRecord source;
  std::optional<v1::InodeRecord> target;

  v1::InodeRecord& to_parent() { return other_parent ? *other_parent : from_parent; }
  bool replaces_itself() const {
    return target && target->attributes().inode() == source.attributes().inode();
  }
};

Status CheckFlags(uint32_t flags) {
  if ((flags & ~(kNoReplace | kExchange)) == 0 && flags != (kNoReplace | kExchange)) {
    return OkStatus();
  }
  return Status::Error(ErrorCode::kInvalidArgument, "rename flags {:#x}", flags);
}

Result<Move> LoadMove(const v1::RenameRequest& request, const MetadataTransaction& txn) {
  Move move;
  ASSIGN_OR_RETURN(move.from_parent,
                   LoadParent(txn, request.parent(), request.name(), request.caller()));
  ASSIGN_OR_RETURN(v1::InodeRecord to_parent,
                   LoadParent(txn, request.new_parent(), request.new_name(), request.caller()));
  if (request.new_parent() != request.parent()) move.other_parent = std::move(to_parent);
  ASSIGN_OR_RETURN(const v1::DentryRecord from,
                   LoadEntry(txn, InodeId(request.parent()), request.name()));
  ASSIGN_OR_RETURN(move.source, LoadInode(txn, InodeId(from.inode())));
  ASSIGN_OR_RETURN(auto to, FindEntry(txn, InodeId(request.new_parent()), request.new_name()));
  if (to) {
    ASSIGN_OR_RETURN(move.target, LoadInode(txn, InodeId(to->inode())));
  }
  return move;
}

// Is `directory` the same as `ancestor`, or below it?
Result<bool> IsWithin(const v1::InodeRecord& directory, uint64_t ancestor,
                      const MetadataTransaction& txn) {
  uint64_t at = directory.attributes().inode();
  uint64_t parent = directory.parent();
  while (at != ancestor && at != kRootInode.value) {
    ASSIGN_OR_RETURN(const v1::InodeRecord record, LoadDirectory(txn, InodeId(parent)));
    at = parent;
    parent = record.parent();
  }
  return at == ancestor;
}

// A directory must not become its own descendant.
Status CheckNoLoop(Move& move, uint32_t flags, const MetadataTransaction& txn) {
  if (IsDirectory(move.source)) {
    ASSIGN_OR_RETURN(const bool loop,
                     IsWithin(move.to_parent(), move.source.attributes().inode(), txn));
    if (loop) return Status(ErrorCode::kInvalidArgument, "a directory would move below itself");
  }
  if ((flags & kExchange) != 0 && move.target && IsDirectory(*move.target)) {
    ASSIGN_OR_RETURN(const bool loop,
                     IsWithin(move.from_parent, move.target->attributes().inode(), txn));
    if (loop) return Status(ErrorCode::kInvalidArgument, "a directory would move below itself");
  }
  return OkStatus();
}

Status CheckRights(Move& move, const v1::RenameRequest& request) {
  const v1::Caller& caller = request.caller();
  RETURN_IF_ERROR(CheckAccess(move.from_parent.attributes(), caller, kMayWrite));
  RETURN_IF_ERROR(CheckAccess(move.to_parent().attributes(), caller, kMayWrite));
  RETURN_IF_ERROR(CheckSticky(move.from_parent.attributes(), move.source.attributes(), caller));
  // A directory that changes its parent is written to: its ".." changes.
  if (move.other_parent && IsDirectory(move.source)) {
    RETURN_IF_ERROR(CheckAccess(move.source.attributes(), caller, kMayWrite));
  }
  if (!move.target) return OkStatus();
  RETURN_IF_ERROR(CheckSticky(move.to_parent().attributes(), move.target->attributes(), caller));
  if ((request.flags() & kExchange) != 0 && move.other_parent && IsDirectory(*move.target)) {
    RETURN_IF_ERROR(CheckAccess(move.target->attributes(), caller, kMayWrite));
  }
  return OkStatus();
}

Status CheckTarget(const Move& move, const MetadataTransaction& txn) {
  if (!move.target) return OkStatus();
  const uint64_t target = move.target->attributes().inode();
  if (IsDirectory(move.source) && !IsDirectory(*move.target)) {
    return Status::Error(ErrorCode::kNotDirectory, "a directory over inode {}", target);
  }
  if (!IsDirectory(*move.target)) return OkStatus();
  if (!IsDirectory(move.source)) {
    return Status::Error(ErrorCode::kIsDirectory, "a file over directory {}", target);
  }
  ASSIGN_OR_RETURN(const bool empty, IsEmptyDirectory(txn, InodeId(target)));
  if (!empty) return Status::Error(ErrorCode::kNotEmpty, "directory {}", target);
  return OkStatus();
}

void AddLinks(v1::InodeRecord& directory, int change) {
  v1::Attributes& attributes = *directory.mutable_attributes();
  attributes.set_links(attributes.links() + static_cast<uint32_t>(change));
}

void StoreParents(Move& move, const v1::Time& time, MetadataTransaction& txn) {
  MarkModified(move.from_parent, time);
  txn.StoreInode(move.from_parent);
  if (!move.other_parent) return;
  MarkModified(*move.other_parent, time);
  txn.StoreInode(*move.other_parent);
}

// Gives `inode` the name in `parent`; a directory's ".." follows.
void PlaceUnder(v1::InodeRecord& parent, std::string_view name, v1::InodeRecord& inode,
                const v1::Time& time, MetadataTransaction& txn) {
  const uint64_t parent_id = parent.attributes().inode();
  if (IsDirectory(inode)) {
    AddLinks(parent, 1);
    inode.set_parent(parent_id);
  }
  MarkChanged(inode, time);
  txn.StoreInode(inode);
  txn.AddEntry(InodeId(parent_id), name, InodeId(inode.attributes().inode()),
               inode.attributes().mode());
}

Result<v1::Outcome> Exchange(const v1::Command& command, Move& move, MetadataTransaction& txn) {
  const v1::RenameRequest& request = command.rename();
  if (IsDirectory(move.source)) AddLinks(move.from_parent, -1);
  if (IsDirectory(*move.target)) AddLinks(move.to_parent(), -1);
  PlaceUnder(move.to_parent(), request.new_name(), move.source, command.time(), txn);
  PlaceUnder(move.from_parent, request.name(), *move.target, command.time(), txn);
  StoreParents(move, command.time(), txn);
  return v1::Outcome();
}

Result<v1::Outcome> Replace(const v1::Command& command, Move& move, MetadataTransaction& txn) {
  const v1::RenameRequest& request = command.rename();
  v1::Outcome outcome;
  if (move.target) {
    outcome.set_inode(move.target->attributes().inode());
    if (IsDirectory(*move.target)) {
      AddLinks(move.to_parent(), -1);
      txn.RemoveInode(*move.target);
    } else {
      ASSIGN_OR_RETURN(const bool still_open, DropLink(command, *move.target, txn));
      outcome.set_still_open(still_open);
    }
  }
  txn.RemoveEntry(InodeId(request.parent()), request.name());
  if (IsDirectory(move.source)) AddLinks(move.from_parent, -1);
  PlaceUnder(move.to_parent(), request.new_name(), move.source, command.time(), txn);
  StoreParents(move, command.time(), txn);
  return outcome;
}

}  // namespace

Result<v1::Outcome> Rename(const v1::Command& command, MetadataTransaction& txn) {
  const v1::RenameRequest& request = command.rename();
  const bool exchange = (request.flags() & kExchange) != 0;
  RETURN_IF_ERROR(CheckFlags(request.flags()));
  ASSIGN_OR_RETURN(Move move, LoadMove(request, txn));
  if (exchange && !move.target) return Fail(ErrorCode::kNotFound, "nothing to exchange with");
  if ((request.flags() & kNoReplace) != 0 && move.target) {
    return Fail(ErrorCode::kExists, "the name is taken in directory {}", request.new_parent());
  }
  if (move.replaces_itself()) return v1::Outcome();  // two names of one file: nothing happens
  RETURN_IF_ERROR(CheckNoLoop(move, request.flags(), txn));
  RETURN_IF_ERROR(CheckRights(move, request));
  if (exchange) return Exchange(command, move, txn);
  RETURN_IF_ERROR(CheckTarget(move, txn));
  if (IsDirectory(move.source) && move.to_parent().attributes().links() >= kMaxLinks) {
    return Fail(ErrorCode::kTooManyLinks, "directory {}", request.new_parent());
  }
  return Replace(command, move, txn);
}

}  // namespace cairn
