#include "metaserver/store/view_rows.h"

namespace cairn {

namespace {
constexpr size_t kAheadBytes = 256u << 10;
constexpr size_t kBatchBytes = 1u << 20;
}  // namespace

Result<bool> ViewRows::Next(std::string& key, std::string& value) {
  if (next_ == ahead_.size() && !at_end_) RETURN_IF_ERROR(ReadAhead());
  if (next_ == ahead_.size()) return false;
  key = std::move(ahead_[next_].first);
  value = std::move(ahead_[next_].second);
  ++next_;
  return true;
}

Status ViewRows::ReadAhead() {
  ahead_.clear();
  next_ = 0;
  size_t bytes = 0;
  RETURN_IF_ERROR(view_->Scan("", from_, [&](std::string_view key, std::string_view value) {
    bytes += key.size() + value.size();
    ahead_.emplace_back(key, value);
    return bytes < kAheadBytes;
  }));
  at_end_ = bytes < kAheadBytes;
  if (!ahead_.empty()) from_ = ahead_.back().first + '\0';
  return OkStatus();
}

Status FillStore(RowSource& rows, KvStore& store) {
  for (bool more = true; more;) {
    RowChanges batch;
    std::string key;
    std::string value;
    size_t bytes = 0;
    while (bytes < kBatchBytes) {
      ASSIGN_OR_RETURN(more, rows.Next(key, value));
      if (!more) break;
      bytes += key.size() + value.size();
      batch.emplace(std::move(key), std::move(value));
    }
    RETURN_IF_ERROR(store.Write(batch, /*sync=*/!more));
  }
  return OkStatus();
}

}  // namespace cairn
