// SetAttributes, and its order with writes that are still in memory.
#include <sys/stat.h>

#include <utility>

#include "client/attributes.h"
#include "client/mount.h"

namespace cairn::client {

namespace {

v1::SetAttributesRequest ToRequest(const Identity& who, InodeId inode,
                                   const SetAttributes& change) {
  v1::SetAttributesRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_inode(inode.value);
  if (change.mode) request.set_mode(*change.mode);
  if (change.uid) request.set_uid(*change.uid);
  if (change.gid) request.set_gid(*change.gid);
  if (change.size) request.set_size(*change.size);
  if (change.access_time) *request.mutable_access_time() = ToTime(*change.access_time);
  if (change.modify_time) *request.mutable_modify_time() = ToTime(*change.modify_time);
  request.set_access_time_now(change.access_time_now);
  request.set_modify_time_now(change.modify_time_now);
  request.set_by_open_handle(change.by_open_handle);
  return request;
}

}  // namespace

Result<v1::EntryResponse> Mount::SendAttributes(const v1::SetAttributesRequest& request) {
  auto response = metadata_.Change<v1::EntryResponse>(v1::METADATA_SET_ATTRIBUTES, request);
  InodeStatePtr state = table_.Find(InodeId(request.inode()));
  if (!response.has_value() || state == nullptr) return response;
  absl::MutexLock lock(&state->mu);
  state->LearnOwnChange(*response);
  if (!response->token().empty() && state->tokens.write.wanted) {
    state->tokens.write.token = response->token();
  }
  return response;
}

Result<v1::EntryResponse> Mount::SendSize(const InodeStatePtr& state,
                                          const v1::SetAttributesRequest& request) {
  RETURN_IF_ERROR(writes_.BeginSizeChange(state));
  auto response = SendAttributes(request);
  writes_.EndSizeChange(state);
  return response;
}

// The commit of what was written before must not replace the time that is set now.
Result<v1::EntryResponse> Mount::SendTimes(const InodeStatePtr& state,
                                           const v1::SetAttributesRequest& request) {
  RETURN_IF_ERROR(writes_.HoldCommits(state));
  uint64_t newest_write = 0;
  bool was_pending = false;
  {
    absl::MutexLock lock(&state->mu);
    was_pending = std::exchange(state->modify_pending, false);
    newest_write = state->last_write;
  }
  auto response = SendAttributes(request);
  if (!response.has_value() && was_pending) {
    absl::MutexLock lock(&state->mu);
    if (state->last_write == newest_write) state->modify_pending = true;
  }
  writes_.ReleaseCommits(state);
  return response;
}

Result<Entry> Mount::SetAttributesOf(const Identity& who, InodeId inode,
                                     const SetAttributes& change) {
  RETURN_IF_ERROR(CheckWritable());
  v1::SetAttributesRequest request = ToRequest(who, inode, change);
  InodeStatePtr state = table_.Find(inode);
  // The commit of what was written before may take these bits away, so it comes first.
  bool special_bits = change.mode && (*change.mode & (S_ISUID | S_ISGID)) != 0;
  if (state != nullptr && special_bits) RETURN_IF_ERROR(writes_.Flush(state));
  Result<v1::EntryResponse> response = v1::EntryResponse();
  if (state != nullptr && change.size) {
    response = SendSize(state, request);
  } else if (state != nullptr && (change.modify_time || change.modify_time_now)) {
    response = SendTimes(state, request);
  } else {
    response = SendAttributes(request);
  }
  RETURN_IF_ERROR(response);
  return ToEntry(std::move(*response));
}

}  // namespace cairn::client
