// An ordered map behind the store's interface, for the simulator and for tests. A view copies the
// map the first time something is written while it lives.
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

namespace {

using Rows = std::map<std::string, std::string, std::less<>>;

class MemoryView final : public ReadView {
 public:
  explicit MemoryView(std::shared_ptr<const Rows> rows) : rows_(std::move(rows)) {}

  Result<std::optional<std::string>> Get(std::string_view key) const override {
    auto row = rows_->find(key);
    if (row == rows_->end()) return std::optional<std::string>();
    return std::optional<std::string>(row->second);
  }

  Status Scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    for (auto row = rows_->lower_bound(std::max(prefix, from)); row != rows_->end(); ++row) {
      if (!row->first.starts_with(prefix) || !visit(row->first, row->second)) break;
    }
    return OkStatus();
  }

 private:
  std::shared_ptr<const Rows> rows_;
};

class MemoryStore final : public KvStore {
 public:
  std::unique_ptr<ReadView> View() override {
    absl::MutexLock lock(&mu_);
    return std::make_unique<MemoryView>(rows_);
  }

  Status Write(const RowChanges& changes, bool) override {
    absl::MutexLock lock(&mu_);
    if (rows_.use_count() > 1) rows_ = std::make_shared<Rows>(*rows_);
    for (const auto& [key, value] : changes) {
      value ? (void)rows_->insert_or_assign(key, *value) : (void)rows_->erase(key);
    }
    return OkStatus();
  }

 private:
  absl::Mutex mu_;
  std::shared_ptr<Rows> rows_ ABSL_GUARDED_BY(mu_) = std::make_shared<Rows>();
};

}  // namespace

std::unique_ptr<KvStore> MakeMemoryStore() {
  return std::make_unique<MemoryStore>();
}

}  // namespace cairn
