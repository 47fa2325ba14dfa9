#include "tests/metaserver/cluster/fake_state.h"

#include <utility>

#include "metaserver/store/schema.h"

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
              const std::function<bool(std::string_view, std::string_view)>& visit)
      const override {
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
    result = failure_.ok() ? Result<v1::Outcome>(Apply(command)) : Fail(failure_);
  }
  if (observer_) observer_();
  done(std::move(result));
}

std::unique_ptr<ReadView> FakeState::View() {
  absl::ReaderMutexLock lock(&mu_);
  return std::make_unique<FakeView>(rows_);
}

bool FakeState::IsBorn() { return !State().cluster_id().empty(); }

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

uint64_t FakeState::NextMapVersion() {
  auto state = Load<v1::StateRecord>(schema::StateKey());
  state.set_map_version(state.map_version() + 1);
  Store(schema::StateKey(), state);
  return state.map_version();
}

v1::Outcome FakeState::Apply(const v1::Command& command) {
  v1::Outcome outcome;
  switch (command.operation_case()) {
    case v1::Command::kFoundCluster: Found(command.found_cluster()); break;
    case v1::Command::kJoinServer: Join(command.join_server(), outcome); break;
    case v1::Command::kCreateGroups: CreateGroups(command.create_groups(), outcome); break;
    case v1::Command::kUpdateGroups: UpdateGroups(command.update_groups(), outcome); break;
    case v1::Command::kSetPool: {
      const std::string key = schema::PoolKey(PoolId(command.set_pool().pool()));
      auto pool = Load<v1::Pool>(key);
      pool.set_min_active(command.set_pool().min_active());
      Store(key, pool);
      NextMapVersion();
      break;
    }
    case v1::Command::kRemoveOrphan:
      rows_.erase(schema::OrphanKey(InodeId(command.remove_orphan().inode())));
      rows_.erase(schema::InodeKey(InodeId(command.remove_orphan().inode())));
      break;
    case v1::Command::kFinishTrim:
      rows_.erase(schema::TrimKey(InodeId(command.finish_trim().inode())));
      break;
    default: outcome.set_code(static_cast<uint32_t>(ErrorCode::kUnimplemented)); break;
  }
  return outcome;
}

void FakeState::Found(const v1::FoundClusterCommand& command) {
  v1::StateRecord state;
  state.set_cluster_id(command.cluster_id());
  state.set_next_server(1);
  state.set_next_group(1);
  Store(schema::StateKey(), state);
  v1::Pool pool;
  pool.set_id(1);
  pool.set_copies(command.copies());
  pool.set_min_active(command.min_active());
  pool.set_chunk_size(command.chunk_size());
  Store(schema::PoolKey(PoolId(1)), pool);
  NextMapVersion();
}

void FakeState::Join(const v1::JoinServerCommand& command, v1::Outcome& outcome) {
  v1::ServerRecord record;
  for (const auto& [key, value] : rows_) {
    v1::ServerRecord known;
    if (!key.starts_with(schema::kServerPrefix) || !known.ParseFromString(value)) continue;
    if (known.disk_uuid() == command.disk_uuid()) record = known;
  }
  if (record.id() == 0) {
    auto state = Load<v1::StateRecord>(schema::StateKey());
    record.set_id(state.next_server());
    state.set_next_server(state.next_server() + 1);
    Store(schema::StateKey(), state);
  }
  record.set_disk_uuid(command.disk_uuid());
  *record.mutable_frames() = command.frames();
  record.set_host(command.host());
  record.set_boot_id(command.boot_id());
  record.set_incarnation(command.incarnation());
  Store(schema::ServerKey(ServerId(record.id())), record);
  NextMapVersion();
  outcome.set_server(record.id());
}

void FakeState::CreateGroups(const v1::CreateGroupsCommand& command, v1::Outcome& outcome) {
  auto pool = Load<v1::Pool>(schema::PoolKey(PoolId(command.pool())));
  if (pool.group_count() > 0) {
    outcome.set_code(static_cast<uint32_t>(ErrorCode::kExists));
    return;
  }
  const uint64_t version = NextMapVersion();
  auto state = Load<v1::StateRecord>(schema::StateKey());
  pool.set_first_group(state.next_group());
  pool.set_group_count(static_cast<uint32_t>(command.groups_size()));
  for (v1::PlacementGroup group : command.groups()) {
    group.set_id(state.next_group());
    group.set_epoch(1);
    group.set_changed_at(version);
    state.set_next_group(state.next_group() + 1);
    Store(schema::GroupKey(PgId(group.id())), group);
  }
  Store(schema::StateKey(), state);
  Store(schema::PoolKey(PoolId(pool.id())), pool);
}

void FakeState::UpdateGroups(const v1::UpdateGroupsCommand& command, v1::Outcome& outcome) {
  ++group_updates_;
  const uint64_t version = NextMapVersion();
  for (v1::PlacementGroup group : command.groups()) {
    const std::string key = schema::GroupKey(PgId(group.id()));
    const auto stored = Load<v1::PlacementGroup>(key);
    if (stored.epoch() + 1 != group.epoch()) {
      *outcome.add_conflicts() = stored;
      continue;
    }
    group.set_changed_at(version);
    Store(key, group);
  }
}

}  // namespace cairn
