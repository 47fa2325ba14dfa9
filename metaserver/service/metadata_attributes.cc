#include <fcntl.h>

#include <utility>

#include "metaserver/operations/access.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"

namespace cairn {

void MetadataService::GetAttributes(Call<v1::GetAttributesRequest, v1::EntryResponse> call) {
  Result<v1::InodeRecord> inode = LoadInode(*state_.View(), InodeId(call.request().inode()));
  if (!inode) return call.Fail(inode.error());
  call.Reply(EntryOf(*std::move(inode)));
}

void MetadataService::SetAttributes(Call<v1::SetAttributesRequest, v1::EntryResponse> call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_set_attributes() = call.request();
  if (!IsTrusted(call.peer())) command.mutable_set_attributes()->set_by_open_handle(false);
  ProposeEntry(std::move(command), [this, call](Result<v1::EntryResponse> result) {
    call.Finish(WithCutToken(call.peer(), call.request(), std::move(result)));
  });
}

// Whoever cut the file goes on writing under the generation that came of it. The right to write is
// looked at once more: the answer may be that of another request under the same number.
Result<v1::EntryResponse> MetadataService::WithCutToken(const PeerIdentity& peer,
                                                        const v1::SetAttributesRequest& request,
                                                        Result<v1::EntryResponse> entry) {
  const bool cut = entry && request.has_size() && entry->attributes().inode() == request.inode();
  if (!cut || !sessions_.MayHold(SessionId(request.id().session()), InodeId(request.inode()))) {
    return entry;
  }
  const bool may_write =
      IsTrusted(peer) || cairn::CheckAccess(entry->attributes(), request.caller(), kMayWrite).ok();
  return may_write ? WithToken(std::move(entry), request.id(), O_WRONLY) : std::move(entry);
}

void MetadataService::CheckAccess(Call<v1::CheckAccessRequest, v1::CheckAccessResponse> call) {
  const v1::CheckAccessRequest& request = call.request();
  Status status = CheckVouches(call.peer(), request.caller());
  if (!status.ok()) return call.Fail(status);
  const Result<v1::InodeRecord> inode = LoadInode(*state_.View(), InodeId(request.inode()));
  if (!inode) return call.Fail(inode.error());
  status = cairn::CheckAccess(inode->attributes(), request.caller(), request.mask() & 7);
  status.ok() ? call.Reply({}) : call.Fail(status);
}

void MetadataService::ReadSymlink(Call<v1::ReadSymlinkRequest, v1::ReadSymlinkResponse> call) {
  Result<v1::InodeRecord> inode = LoadInode(*state_.View(), InodeId(call.request().inode()));
  if (!inode) return call.Fail(inode.error());
  if (!IsSymlink(*inode)) {
    return call.Fail(Status::Error(ErrorCode::kInvalidArgument, "inode {} is no symbolic link",
                                   call.request().inode()));
  }
  v1::ReadSymlinkResponse response;
  response.set_target(std::move(*inode->mutable_symlink_target()));
  call.Reply(response);
}

}  // namespace cairn
