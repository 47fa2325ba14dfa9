// The rows of a view one after the other, for whoever wants to ask instead of being told.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "metaserver/store/kv_store.h"
#include "raft/replicated_log.h"

namespace cairn {

// Reads ahead a bounded number of bytes.
class ViewRows final : public RowSource {
 public:
  explicit ViewRows(std::unique_ptr<ReadView> view) : view_(std::move(view)) {}
  Result<bool> Next(std::string& key, std::string& value) override;

 private:
  Status ReadAhead();

  const std::unique_ptr<ReadView> view_;
  std::vector<std::pair<std::string, std::string>> ahead_;
  size_t next_ = 0;
  std::string from_;  // where to read on
  bool at_end_ = false;
};

// Writes `rows` into `store`, an empty one; durable on return. Bounded memory.
Status FillStore(RowSource& rows, KvStore& store);

}  // namespace cairn
