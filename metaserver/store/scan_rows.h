// Typed reading of all rows of one kind.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "common/status.h"
#include "metaserver/store/kv_store.h"
#include "metaserver/store/rows.h"

namespace cairn {

// Rows whose key begins with `prefix`, from key `from` on, until `visit` returns false.
template <typename Row, typename Visit>
Status ScanRows(const ReadView& view, std::string_view prefix, std::string_view from,
                const Visit& visit) {
  Status parsed;
  RETURN_IF_ERROR(view.Scan(prefix, from, [&](std::string_view key, std::string_view value) {
    Row row;
    parsed = ParseRow(key, value, row);
    return parsed.ok() && visit(key, std::move(row));
  }));
  return parsed;
}

}  // namespace cairn
