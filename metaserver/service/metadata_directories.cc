#include <algorithm>
#include <optional>
#include <utility>

#include "metaserver/operations/access.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {

constexpr uint32_t kMaxEntries = 1000;
constexpr size_t kMaxAnswerBytes = 1u << 20;  // then the answer ends at the next new hash

// Collects entries until the limit. Entries of equal hash have the same cookie and cannot be told
// apart by it, so they travel together.
class EntryCollector {
 public:
  EntryCollector(const ReadView& view, const v1::ReadDirectoryRequest& request)
      : view_(view),
        limit_(request.limit() == 0 ? kMaxEntries : std::min(request.limit(), kMaxEntries)),
        with_attributes_(request.attributes()) {}

  bool Visit(std::string_view key, std::string_view value) {
    const uint64_t cookie = schema::DentryCookie(key);
    const bool full =
        static_cast<uint32_t>(response_.entries_size()) >= limit_ || bytes_ >= kMaxAnswerBytes;
    if (full && response_.entries().rbegin()->cookie() != cookie) {
      more_ = true;
      return false;
    }
    status_ = Add(cookie, key, value);
    return status_.ok();
  }

  Result<v1::ReadDirectoryResponse> Finish(uint64_t parent) {
    RETURN_IF_ERROR(status_);
    response_.set_end(!more_);
    response_.set_parent(parent);
    return std::move(response_);
  }

 private:
  Status Add(uint64_t cookie, std::string_view key, std::string_view value) {
    v1::DentryRecord row;
    RETURN_IF_ERROR(ParseRow(key, value, row));
    v1::DirectoryEntry& entry = *response_.add_entries();
    entry.set_inode(row.inode());
    entry.set_mode(row.mode());
    entry.set_cookie(cookie);
    entry.set_name(std::move(*row.mutable_name()));
    if (with_attributes_) {
      ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadInode(view_, InodeId(row.inode())));
      *entry.mutable_entry() = EntryOf(std::move(inode));
    }
    bytes_ += entry.ByteSizeLong();
    return OkStatus();
  }

  const ReadView& view_;
  const uint32_t limit_;
  const bool with_attributes_;
  v1::ReadDirectoryResponse response_;
  size_t bytes_ = 0;
  bool more_ = false;
  Status status_;
};

Result<v1::ReadDirectoryResponse> List(const ReadView& view,
                                       const v1::ReadDirectoryRequest& request, bool may_read) {
  const InodeId id(request.inode());
  ASSIGN_OR_RETURN(auto directory, LoadRow<v1::InodeRecord>(view, schema::InodeKey(id)));
  EntryCollector collector(view, request);
  if (!directory) return collector.Finish(0);  // removed while open: empty
  if (!IsDirectory(*directory)) return Fail(ErrorCode::kNotDirectory, "inode {}", id);
  if (!may_read) {
    RETURN_IF_ERROR(CheckAccess(directory->attributes(), request.caller(), kMayRead));
  }
  const std::string prefix = schema::DentryPrefix(id);
  const std::string from =
      request.cookie() == 0 ? prefix : schema::DentryFrom(id, request.cookie() + 1);
  RETURN_IF_ERROR(view.Scan(prefix, from, [&](std::string_view key, std::string_view value) {
    return collector.Visit(key, value);
  }));
  return collector.Finish(directory->parent());
}

}  // namespace

void MetadataService::ReadDirectory(
    Call<v1::ReadDirectoryRequest, v1::ReadDirectoryResponse> call) {
  if (Status status = CheckVouches(call.peer(), call.request().caller()); !status.ok()) {
    return call.Fail(status);
  }
  if (call.request().cookie() >> 63 != 0) {
    return call.Fail(Status(ErrorCode::kInvalidArgument, "a cookie of more than 63 bits"));
  }
  const bool may_read = call.request().by_open_handle() && IsTrusted(call.peer());
  call.Finish(List(*state_.View(), call.request(), may_read));
}

}  // namespace cairn
