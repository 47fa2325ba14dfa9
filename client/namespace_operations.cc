// Names and attributes.
#include <linux/fs.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "client/attributes.h"
#include "client/backoff.h"
#include "client/mount.h"

namespace cairn::client {

namespace {
constexpr uint32_t kMostEntries = 1000;
}

Status Mount::CheckWritable() const {
  if (!options_.read_only) return OkStatus();
  return Status(ErrorCode::kReadOnly, "the mount is read-only");
}

Status Mount::CheckChange(std::string_view name) const {
  RETURN_IF_ERROR(CheckName(name));
  return CheckWritable();
}

Entry Mount::ToEntry(v1::EntryResponse response) const {
  uint64_t blocks = table_.Reconcile(response);
  return {ToStat(response.attributes(), blocks), false};
}

Result<v1::EntryResponse> Mount::FetchEntry(const Identity& who, InodeId parent,
                                            std::string_view name) {
  v1::LookupRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  return metadata_.Query<v1::EntryResponse>(v1::METADATA_LOOKUP, request);
}

Result<v1::EntryResponse> Mount::FetchAttributes(InodeId inode) {
  v1::GetAttributesRequest request;
  request.set_inode(inode.value);
  return metadata_.Query<v1::EntryResponse>(v1::METADATA_GET_ATTRIBUTES, request);
}

Result<Entry> Mount::Lookup(const Identity& who, InodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(v1::EntryResponse response, FetchEntry(who, parent, name));
  return ToEntry(std::move(response));
}

Result<Entry> Mount::GetAttributes(InodeId inode) {
  ASSIGN_OR_RETURN(v1::EntryResponse response, FetchAttributes(inode));
  return ToEntry(std::move(response));
}

Status Mount::CheckAccess(const Identity& who, InodeId inode, uint32_t mask) {
  v1::CheckAccessRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_inode(inode.value);
  request.set_mask(mask);
  return internal::StatusOf(
      metadata_.Query<v1::CheckAccessResponse>(v1::METADATA_CHECK_ACCESS, request));
}

template <typename Request>
Result<Entry> Mount::MakeEntry(v1::Method method, Request request) {
  ASSIGN_OR_RETURN(v1::EntryResponse response,
                   metadata_.Change<v1::EntryResponse>(method, std::move(request)));
  return ToEntry(std::move(response));
}

Result<Entry> Mount::MakeNode(const Identity& who, InodeId parent, std::string_view name,
                              uint32_t mode, uint64_t device) {
  RETURN_IF_ERROR(CheckChange(name));
  v1::MakeNodeRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  request.set_mode(mode);
  request.set_device(device);
  return MakeEntry(v1::METADATA_MAKE_NODE, std::move(request));
}

Result<Entry> Mount::MakeDirectory(const Identity& who, InodeId parent, std::string_view name,
                                   uint32_t mode) {
  RETURN_IF_ERROR(CheckChange(name));
  v1::MakeDirectoryRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  request.set_mode(mode);
  return MakeEntry(v1::METADATA_MAKE_DIRECTORY, std::move(request));
}

Result<Entry> Mount::MakeSymlink(const Identity& who, InodeId parent, std::string_view name,
                                 std::string_view target) {
  RETURN_IF_ERROR(CheckChange(name));
  v1::MakeSymlinkRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  request.set_target(std::string(target));
  return MakeEntry(v1::METADATA_MAKE_SYMLINK, std::move(request));
}

Result<Entry> Mount::Link(const Identity& who, InodeId inode, InodeId new_parent,
                          std::string_view new_name) {
  RETURN_IF_ERROR(CheckChange(new_name));
  v1::LinkRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_inode(inode.value);
  request.set_new_parent(new_parent.value);
  request.set_new_name(std::string(new_name));
  return MakeEntry(v1::METADATA_LINK, std::move(request));
}

Status Mount::Unlink(const Identity& who, InodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckChange(name));
  v1::UnlinkRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  return internal::StatusOf(
      metadata_.Change<v1::RemovedResponse>(v1::METADATA_UNLINK, std::move(request)));
}

Status Mount::RemoveDirectory(const Identity& who, InodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckChange(name));
  v1::RemoveDirectoryRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  return internal::StatusOf(
      metadata_.Change<v1::RemovedResponse>(v1::METADATA_REMOVE_DIRECTORY, std::move(request)));
}

Status Mount::FlushBeforeReplacing(const Identity& who, InodeId parent, std::string_view name,
                                   InodeId new_parent, std::string_view new_name) {
  if (table_.OwesNothing()) return OkStatus();
  // The rename itself says what else is wrong with the names.
  auto unknown = [](const Result<v1::EntryResponse>& entry) {
    return IsTransient(entry.error().code()) ? entry.error() : OkStatus();
  };
  Result<v1::EntryResponse> replaced = FetchEntry(who, new_parent, new_name);
  if (!replaced.has_value()) return unknown(replaced);
  Result<v1::EntryResponse> source = FetchEntry(who, parent, name);
  if (!source.has_value()) return unknown(source);
  InodeId inode(source->attributes().inode());
  InodeStatePtr state = table_.Find(inode);
  return state == nullptr ? table_.TakeUntoldError(inode) : FlushWhole(state);
}

Status Mount::FlushWhole(const InodeStatePtr& state) {
  uint64_t errors = 0;
  {
    absl::MutexLock lock(&state->mu);
    errors = state->errors - (std::exchange(state->error_untold, false) ? 1 : 0);
  }
  Status flushed = writes_.Flush(state);
  absl::MutexLock lock(&state->mu);
  if (state->errors == errors) return flushed;
  state->error_untold = false;
  return state->error;
}

Status Mount::Rename(const Identity& who, InodeId parent, std::string_view name,
                     InodeId new_parent, std::string_view new_name, uint32_t flags) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(CheckChange(new_name));
  if ((flags & (RENAME_NOREPLACE | RENAME_EXCHANGE)) == 0) {
    RETURN_IF_ERROR(FlushBeforeReplacing(who, parent, name, new_parent, new_name));
  }
  v1::RenameRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  request.set_new_parent(new_parent.value);
  request.set_new_name(std::string(new_name));
  request.set_flags(flags);
  return internal::StatusOf(
      metadata_.Change<v1::RemovedResponse>(v1::METADATA_RENAME, std::move(request)));
}

Result<std::string> Mount::ReadSymlink(InodeId inode) {
  v1::ReadSymlinkRequest request;
  request.set_inode(inode.value);
  ASSIGN_OR_RETURN(auto response, metadata_.Query<v1::ReadSymlinkResponse>(
                                      v1::METADATA_READ_SYMLINK, request));
  return response.target();
}

Result<std::vector<DirectoryItem>> Mount::ReadDirectory(const Identity& who, InodeId inode,
                                                        uint64_t cookie, uint32_t limit,
                                                        bool attributes) {
  v1::ReadDirectoryRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_inode(inode.value);
  request.set_cookie(cookie);
  request.set_limit(std::clamp(limit, 1u, kMostEntries));
  request.set_attributes(attributes);
  request.set_by_open_handle(true);
  ASSIGN_OR_RETURN(auto response, metadata_.Query<v1::ReadDirectoryResponse>(
                                      v1::METADATA_READ_DIRECTORY, request));
  std::vector<DirectoryItem> items;
  items.reserve(static_cast<size_t>(response.entries_size()));
  for (v1::DirectoryEntry& entry : *response.mutable_entries()) {
    DirectoryItem& item = items.emplace_back();
    item.name = std::move(*entry.mutable_name());
    item.cookie = entry.cookie();
    if (attributes) item.attributes = ToEntry(std::move(*entry.mutable_entry())).attributes;
    item.attributes.st_ino = entry.inode();
    if (!attributes) item.attributes.st_mode = entry.mode();
  }
  return items;
}

Result<FileSystemSpace> Mount::Space() {
  ASSIGN_OR_RETURN(auto response, metadata_.Query<v1::StatFsResponse>(v1::METADATA_STATFS,
                                                                      v1::StatFsRequest()));
  return FileSystemSpace{response.total_bytes(), response.available_bytes(), response.inodes()};
}

Status Mount::FsyncDirectory(InodeId) {
  // An acknowledged change of the namespace is on disk on a majority of metaservers already.
  return OkStatus();
}

}  // namespace cairn::client
