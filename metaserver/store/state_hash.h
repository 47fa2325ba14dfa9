// A hash of all rows but the state row, kept up to date with every batch: members whose states are
// equal have the same one (rule M7). A sum over rows, so that the order of changes does not matter.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/status.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

// What one row adds to the sum.
uint64_t RowHash(std::string_view key, std::string_view value);

// `hash` is that of `before`; the result is that after `changes`.
Result<uint64_t> HashAfter(uint64_t hash, const ReadView& before, const RowChanges& changes);

// From all rows anew: for tests, and to check.
Result<uint64_t> HashOf(const ReadView& view);

}  // namespace cairn
