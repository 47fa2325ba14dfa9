#include "tests/metaserver/cluster/fake_state.h"

#include <utility>

#include "metaserver/operations/apply.h"
#include "metaserver/store/schema.h"
#include "metaserver/store/transaction.h"

namespace cairn {
namespace {

using Rows = std::map<std::string, std::string, std::less<>>;

class FakeView final : public ReadView {
 public:
  explicit FakeView(Rows rows) : rows_(std::move(rows)) {}
  Result<std::optional<std::string>> Get(std::string_view key) const override {
    const auto found = rows_.find(key);
    if (found == rows_.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  Status Scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    for (auto it = rows_.lower_bound(from); it != rows_.end(); ++it) {
      if (!std::string_view(it->first).starts_with(prefix)) break;
      if (!visit(it->first, it->second)) break;
    }
    return OkStatus();
  }

 private:
  const Rows rows_;
};

}  // namespace

void FakeState::Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) {
  if (on_propose) on_propose(command);
  Result<v1::Outcome> result = Fail(ErrorCode::kInternal, "not applied");
  {
    absl::MutexLock lock(&mu_);
    ++proposals_;
    if (admission_observer_) admission_observer_(false);
    result = failure_.ok() ? Result<v1::Outcome>(Apply(command)) : Fail(failure_);
  }
  if (observer_) observer_();
  if (admission_observer_) admission_observer_(true);
  done(std::move(result));
}

std::unique_ptr<ReadView> FakeState::View() {
  absl::ReaderMutexLock lock(&mu_);
  return std::make_unique<FakeView>(rows_);
}

bool FakeState::IsBorn() {
  return !State().cluster_id().empty();
}

void FakeState::FailWith(Status status) {
  absl::MutexLock lock(&mu_);
  failure_ = std::move(status);
}

int FakeState::proposals() const {
  absl::ReaderMutexLock lock(&mu_);
  return proposals_;
}

int FakeState::group_updates() const {
  absl::ReaderMutexLock lock(&mu_);
  return group_updates_;
}

void FakeState::Put(const std::string& key, const google::protobuf::MessageLite& row) {
  absl::MutexLock lock(&mu_);
  Store(key, row);
}

void FakeState::Erase(const std::string& key) {
  absl::MutexLock lock(&mu_);
  rows_.erase(key);
}

bool FakeState::Has(const std::string& key) const {
  absl::ReaderMutexLock lock(&mu_);
  return rows_.contains(key);
}

v1::StateRecord FakeState::State() const {
  absl::ReaderMutexLock lock(&mu_);
  return Load<v1::StateRecord>(schema::StateKey());
}

template <typename Row>
Row FakeState::Load(const std::string& key) const {
  Row row;
  const auto found = rows_.find(key);
  if (found != rows_.end()) CAIRN_CHECK(row.ParseFromString(found->second));
  return row;
}

void FakeState::Store(const std::string& key, const google::protobuf::MessageLite& row) {
  rows_[key] = row.SerializeAsString();
}

// The operations are the real ones.
v1::Outcome FakeState::Apply(const v1::Command& command) {
  const FakeView view(rows_);
  Result<MetadataTransaction> txn = MetadataTransaction::Begin(view);
  CAIRN_CHECK(txn.has_value());
  v1::Outcome outcome = ApplyCommand(command, *txn);
  const Result<RowChanges> changes = txn->Finish();
  CAIRN_CHECK(changes.has_value());
  for (const auto& [key, row] : *changes) {
    if (row.has_value()) {
      rows_[key] = *row;
    } else {
      rows_.erase(key);
    }
  }
  group_updates_ += command.has_update_groups() ? 1 : 0;
  return outcome;
}

}  // namespace cairn
