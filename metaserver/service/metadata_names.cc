#include <utility>

#include "metaserver/operations/access.h"
#include "metaserver/operations/names.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {

Result<v1::EntryResponse> LookUp(const ReadView& view, const v1::LookupRequest& request) {
  RETURN_IF_ERROR(CheckName(request.name()));
  const InodeId parent_id(request.parent());
  ASSIGN_OR_RETURN(const v1::InodeRecord parent, LoadDirectory(view, parent_id));
  RETURN_IF_ERROR(CheckAccess(parent.attributes(), request.caller(), kMayExecute));
  ASSIGN_OR_RETURN(const v1::DentryRecord entry, LoadEntry(view, parent_id, request.name()));
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadInode(view, InodeId(entry.inode())));
  return EntryOf(std::move(inode));
}

}  // namespace

void MetadataService::Lookup(Call<v1::LookupRequest, v1::EntryResponse> call) {
  if (Status status = CheckVouches(call.peer(), call.request().caller()); !status.ok()) {
    return call.Fail(status);
  }
  call.Finish(LookUp(*state_.View(), call.request()));
}

void MetadataService::MakeNode(Call<v1::MakeNodeRequest, v1::EntryResponse> call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_make_node() = call.request();
  ProposeEntry(std::move(command), [call](const auto& result) { call.Finish(result); });
}

void MetadataService::MakeDirectory(Call<v1::MakeDirectoryRequest, v1::EntryResponse> call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_make_directory() = call.request();
  ProposeEntry(std::move(command), [call](const auto& result) { call.Finish(result); });
}

void MetadataService::MakeSymlink(Call<v1::MakeSymlinkRequest, v1::EntryResponse> call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_make_symlink() = call.request();
  ProposeEntry(std::move(command), [call](const auto& result) { call.Finish(result); });
}

void MetadataService::Link(Call<v1::LinkRequest, v1::EntryResponse> call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_link() = call.request();
  ProposeEntry(std::move(command), [call](const auto& result) { call.Finish(result); });
}

}  // namespace cairn
