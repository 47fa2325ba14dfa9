// Ordered rows on disk or in memory: what the state machine needs from a store and no more.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace cairn {

// The rows at one moment; later writes are not seen. Thread-safe.
class ReadView {
 public:
  virtual ~ReadView() = default;
  // nullopt: no such row. An error is the disk's.
  virtual Result<std::optional<std::string>> Get(std::string_view key) const = 0;
  // Rows with from <= key that begin with `prefix`, in order, until `visit` returns false.
  virtual Status Scan(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
};

// nullopt deletes the row.
using RowChanges = std::map<std::string, std::optional<std::string>, std::less<>>;

// Thread-safe; one writer at a time.
class KvStore {
 public:
  virtual ~KvStore() = default;
  virtual std::unique_ptr<ReadView> View() = 0;
  // All or nothing. Durable on return when `sync`, together with everything written before.
  virtual Status Write(const RowChanges& changes, bool sync) = 0;
  // Another store has taken its place: what it keeps on disk goes when its last view does. Nothing
  // is written any more.
  virtual void Discard() {}
};

std::unique_ptr<KvStore> MakeMemoryStore();
// `unclean_boot`: the machine booted since the store was closed cleanly (rule M2).
Result<std::unique_ptr<KvStore>> OpenLevelDbStore(const std::string& directory, bool unclean_boot);

}  // namespace cairn
