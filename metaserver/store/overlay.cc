#include "metaserver/store/overlay.h"

#include <algorithm>

namespace cairn {

Result<std::optional<std::string>> Overlay::Get(std::string_view key) const {
  auto change = changes_.find(key);
  if (change != changes_.end()) return change->second;
  return base_.Get(key);
}

Status Overlay::Scan(std::string_view prefix, std::string_view from,
                     const std::function<bool(std::string_view, std::string_view)>& visit) const {
  auto change = changes_.lower_bound(std::max(prefix, from));
  auto has_change = [&] { return change != changes_.end() && change->first.starts_with(prefix); };
  bool wanted = true;
  auto take_change = [&] {
    if (change->second) wanted = visit(change->first, *change->second);
    ++change;
  };
  RETURN_IF_ERROR(base_.Scan(prefix, from, [&](std::string_view key, std::string_view value) {
    while (wanted && has_change() && change->first < key) take_change();
    if (!wanted) return false;
    if (has_change() && change->first == key) {
      take_change();
    } else {
      wanted = visit(key, value);
    }
    return wanted;
  }));
  while (wanted && has_change()) take_change();
  return OkStatus();
}

void Overlay::RollBack() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    if (undo->was_changed) {
      changes_[undo->key] = std::move(undo->value);
    } else {
      changes_.erase(undo->key);
    }
  }
  undo_.clear();
}

void Overlay::Change(std::string key, std::optional<std::string> value) {
  auto [change, fresh] = changes_.try_emplace(key);
  undo_.push_back({std::move(key), !fresh, fresh ? std::nullopt : std::move(change->second)});
  change->second = std::move(value);
}

}  // namespace cairn
