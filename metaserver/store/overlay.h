// Changes on top of a view, readable as if they were already written, with one level of undo: a
// command that fails takes back what it did and leaves the commands before it alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "metaserver/store/kv_store.h"

namespace cairn {

// Thread-compatible. `base` must outlive it.
class Overlay final : public ReadView {
 public:
  explicit Overlay(const ReadView& base) : base_(base) {}

  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status Scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;

  void Put(std::string key, std::string value) { Change(std::move(key), std::move(value)); }
  void Erase(std::string key) { Change(std::move(key), std::nullopt); }

  // Changes made from here on can be taken back.
  void Mark() { undo_.clear(); }
  // Takes back everything since the last Mark().
  void RollBack();

  const RowChanges& changes() const { return changes_; }
  RowChanges TakeChanges() { return std::move(changes_); }

 private:
  struct Undo {
    std::string key;
    bool was_changed;                  // earlier in this batch
    std::optional<std::string> value;  // to what
  };
  void Change(std::string key, std::optional<std::string> value);

  const ReadView& base_;
  RowChanges changes_;
  std::vector<Undo> undo_;  // oldest first
};

}  // namespace cairn
