#include "fuse_client/fuse_bridge.h"

#include <algorithm>

namespace cairn::fuse {

MountedFileSystem& FileSystemOf(fuse_req_t request) {
  return static_cast<MountContext*>(fuse_req_userdata(request))->files;
}

Identity CallerOf(fuse_req_t request) {
  const fuse_ctx* context = fuse_req_ctx(request);
  Identity caller{context->uid, context->gid, {}};
  if (caller.uid == 0) return caller;
  caller.groups.resize(32);
  int count = fuse_req_getgroups(request, static_cast<int>(caller.groups.size()),
                                 caller.groups.data());
  if (count > static_cast<int>(caller.groups.size())) {
    caller.groups.resize(static_cast<size_t>(count));
    count = fuse_req_getgroups(request, count, caller.groups.data());
  }
  // A process that has ended meanwhile has no groups left to look up.
  caller.groups.resize(count < 0 ? 0 : std::min(caller.groups.size(), static_cast<size_t>(count)));
  return caller;
}

fuse_entry_param EntryParameters(const struct stat& attributes) {
  fuse_entry_param parameters{};
  parameters.ino = attributes.st_ino;
  parameters.attr = attributes;
  parameters.attr_timeout = kAttributeTimeout;
  parameters.entry_timeout = kEntryTimeout;
  return parameters;
}

void ReplyStatus(fuse_req_t request, const Status& status) {
  fuse_reply_err(request, ErrnoFromCode(status.code()));
}

void ReplyEntry(fuse_req_t request, const Result<Entry>& entry) {
  if (!entry.has_value()) return ReplyStatus(request, entry.error());
  fuse_entry_param parameters = EntryParameters(entry->attributes);
  fuse_reply_entry(request, &parameters);
}

void ReplyAttributes(fuse_req_t request, const Result<Entry>& entry) {
  if (!entry.has_value()) return ReplyStatus(request, entry.error());
  fuse_reply_attr(request, &entry->attributes, kAttributeTimeout);
}

}  // namespace cairn::fuse
