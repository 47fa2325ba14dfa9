// Both kinds of store, for tests that run over each, and all rows of one for comparisons.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "metaserver/store/kv_store.h"

namespace cairn::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = ::testing::TempDir() + "cairn_XXXXXX";
    CAIRN_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class StoreKind { kMemory, kLevelDb };

inline std::string StoreName(const ::testing::TestParamInfo<StoreKind>& info) {
  return info.param == StoreKind::kMemory ? "Memory" : "LevelDb";
}

inline std::unique_ptr<KvStore> OpenStore(StoreKind kind, const std::string& directory) {
  if (kind == StoreKind::kMemory) return MakeMemoryStore();
  auto store = OpenLevelDbStore(directory, /*unclean_boot=*/false);
  CAIRN_CHECK(store.has_value());
  return *std::move(store);
}

using AllRows = std::map<std::string, std::string>;

inline AllRows RowsOf(KvStore& store) {
  AllRows rows;
  const Status status = store.View()->Scan("", "", [&](std::string_view key, std::string_view row) {
    rows.emplace(key, row);
    return true;
  });
  CAIRN_CHECK(status.ok());
  return rows;
}

#define CAIRN_OVER_BOTH_STORES(Suite)                                                \
  INSTANTIATE_TEST_SUITE_P(Stores, Suite,                                            \
                           ::testing::Values(::cairn::testing::StoreKind::kMemory,   \
                                             ::cairn::testing::StoreKind::kLevelDb), \
                           ::cairn::testing::StoreName)

}  // namespace cairn::testing
