// What a LevelDB batch changes, to be looked at or applied elsewhere.
#pragma once

#include <leveldb/write_batch.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace cairn {

// nullopt deletes the row.
using BatchChanges = std::map<std::string, std::optional<std::string>>;

inline BatchChanges ChangesOf(const leveldb::WriteBatch& batch) {
  struct Collector final : leveldb::WriteBatch::Handler {
    void Put(const leveldb::Slice& key, const leveldb::Slice& value) override {
      changes[key.ToString()] = value.ToString();
    }
    void Delete(const leveldb::Slice& key) override { changes[key.ToString()] = std::nullopt; }
    BatchChanges changes;
  } collector;
  batch.Iterate(&collector);
  return std::move(collector.changes);
}

inline void ApplyTo(const BatchChanges& changes, std::map<std::string, std::string>& rows) {
  for (const auto& [key, value] : changes) {
    if (value.has_value()) {
      rows[key] = *value;
    } else {
      rows.erase(key);
    }
  }
}

}  // namespace cairn
