#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

Namespace::Namespace(std::unique_ptr<KvStore> store) : store_(std::move(store)) {
  v1::Command found;
  found.mutable_found_cluster()->set_cluster_id("test");
  found.mutable_found_cluster()->set_copies(3);
  found.mutable_found_cluster()->set_chunk_size(kMinChunkSize);
  CAIRN_CHECK(Run(std::move(found)) == Code::kOk);
}

v1::Command Namespace::Complete(v1::Command command) {
  command.mutable_time()->set_seconds(++now_);
  if (command.has_create() || command.has_make_node() || command.has_make_directory() ||
      command.has_make_symlink()) {
    v1::Command reserve;
    reserve.mutable_reserve_inodes()->set_count(1);
    command.set_new_inode(Apply(reserve).first_inode());
    command.set_layout_seed(command.new_inode());
  }
  command.set_expected_victim(VictimOf(command));
  command.mutable_holders()->Add(holders_.begin(), holders_.end());
  return command;
}

v1::Outcome Namespace::Apply(const v1::Command& command) {
  const std::unique_ptr<ReadView> view = store_->View();
  auto txn = MetadataTransaction::Begin(*view);
  CAIRN_CHECK(txn.has_value());
  v1::Outcome outcome = ApplyCommand(command, *txn);
  CAIRN_CHECK(txn->store_status().ok());
  CAIRN_CHECK(store_->Write(*txn->Finish(), false).ok());
  return outcome;
}

uint64_t Namespace::VictimOf(const v1::Command& command) {
  uint64_t parent = command.unlink().parent();
  std::string name = command.unlink().name();
  if (command.has_rename()) {
    parent = command.rename().new_parent();
    name = command.rename().new_name();
  }
  auto entry = FindEntry(*store_->View(), InodeId(parent), name);
  return entry && *entry ? (*entry)->inode() : 0;
}

Namespace::Place Namespace::PlaceOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {Resolve(slash == 0 ? "/" : path.substr(0, slash)).value, path.substr(slash + 1)};
}

Code Namespace::MakeDirectory(const std::string& path, uint32_t mode) {
  v1::Command command;
  At(command.mutable_make_directory(), path)->set_mode(mode);
  return Run(std::move(command));
}

Code Namespace::MakeFile(const std::string& path, uint32_t mode) {
  v1::Command command;
  At(command.mutable_create(), path)->set_mode(mode);
  command.mutable_create()->set_flags(O_EXCL | O_RDWR);
  return Run(std::move(command));
}

Code Namespace::MakeNode(const std::string& path, uint32_t mode, uint64_t device) {
  v1::Command command;
  At(command.mutable_make_node(), path)->set_mode(mode);
  command.mutable_make_node()->set_device(device);
  return Run(std::move(command));
}

Code Namespace::MakeSymlink(const std::string& path, const std::string& target) {
  v1::Command command;
  At(command.mutable_make_symlink(), path)->set_target(target);
  return Run(std::move(command));
}

Code Namespace::Link(const std::string& from, const std::string& to) {
  v1::Command command;
  v1::LinkRequest& request = *command.mutable_link();
  const Place place = PlaceOf(to);
  *request.mutable_caller() = caller_;
  request.set_inode(Resolve(from).value);
  request.set_new_parent(place.parent);
  request.set_new_name(place.name);
  return Run(std::move(command));
}

Code Namespace::Unlink(const std::string& path) {
  v1::Command command;
  At(command.mutable_unlink(), path);
  return Run(std::move(command));
}

Code Namespace::RemoveDirectory(const std::string& path) {
  v1::Command command;
  At(command.mutable_remove_directory(), path);
  return Run(std::move(command));
}

Code Namespace::Rename(const std::string& from, const std::string& to, uint32_t flags) {
  v1::Command command;
  const Place place = PlaceOf(to);
  v1::RenameRequest& request = *At(command.mutable_rename(), from);
  request.set_new_parent(place.parent);
  request.set_new_name(place.name);
  request.set_flags(flags);
  return Run(std::move(command));
}

Code Namespace::Chmod(const std::string& path, uint32_t mode) {
  v1::Command command;
  v1::SetAttributesRequest& request = *command.mutable_set_attributes();
  *request.mutable_caller() = caller_;
  request.set_inode(Resolve(path).value);
  request.set_mode(mode);
  return Run(std::move(command));
}

Code Namespace::Chown(const std::string& path, std::optional<uint32_t> uid,
                      std::optional<uint32_t> gid) {
  v1::Command command;
  v1::SetAttributesRequest& request = *command.mutable_set_attributes();
  *request.mutable_caller() = caller_;
  request.set_inode(Resolve(path).value);
  if (uid) request.set_uid(*uid);
  if (gid) request.set_gid(*gid);
  return Run(std::move(command));
}

Code Namespace::Truncate(const std::string& path, uint64_t size) {
  v1::Command command;
  v1::SetAttributesRequest& request = *command.mutable_set_attributes();
  *request.mutable_caller() = caller_;
  request.set_inode(Resolve(path).value);
  request.set_size(size);
  return Run(std::move(command));
}

void Namespace::Number(v1::RequestId& id) {
  id.set_session(session_);
  if (session_ != 0) id.set_sequence(++sequence_);
  id.set_lowest_unanswered(id.sequence());
}

Code Namespace::Commit(const std::string& path, uint64_t end,
                       std::initializer_list<std::pair<uint32_t, uint32_t>> runs,
                       uint64_t generation) {
  return Run(CommitOf(path, end, runs, generation));
}

Code Namespace::CommitLast(const std::string& path, uint64_t end,
                           std::initializer_list<std::pair<uint32_t, uint32_t>> runs,
                           uint64_t generation) {
  v1::Command command = CommitOf(path, end, runs, generation);
  command.mutable_commit_write()->set_last(true);
  return Run(std::move(command));
}

Code Namespace::Extend(const std::string& path, uint32_t first, uint32_t count) {
  v1::Command command;
  v1::ExtendRequest& request = *command.mutable_extend();
  Number(*request.mutable_id());
  request.set_inode(Resolve(path).value);
  request.mutable_chunks()->set_first(first);
  request.mutable_chunks()->set_count(count);
  return Run(std::move(command));
}

Code Namespace::EndExtend(const std::string& path) {
  v1::Command command;
  Number(*command.mutable_end_extend()->mutable_id());
  command.mutable_end_extend()->set_session(session_);
  command.mutable_end_extend()->add_inodes(Resolve(path).value);
  return Run(std::move(command));
}

Code Namespace::CloseSession(uint64_t session) {
  v1::Command command;
  command.mutable_close_session()->set_session(session);
  return Run(std::move(command));
}

v1::Command Namespace::CommitOf(const std::string& path, uint64_t end,
                                std::initializer_list<std::pair<uint32_t, uint32_t>> runs,
                                uint64_t generation) {
  v1::Command command;
  v1::CommitWriteRequest& request = *command.mutable_commit_write();
  Number(*request.mutable_id());
  request.set_inode(Resolve(path).value);
  request.set_end(end);
  request.set_generation(generation);
  for (const auto& [first, count] : runs) {
    v1::ChunkRun& run = *request.add_runs();
    run.set_first(first);
    run.set_count(count);
  }
  return command;
}

Code Namespace::FinishTrim(const std::string& path, uint64_t generation) {
  v1::Command command;
  command.mutable_finish_trim()->set_inode(Resolve(path).value);
  command.mutable_finish_trim()->set_generation(generation);
  return Run(std::move(command));
}

uint64_t Namespace::OpenSession(const std::string& client_id) {
  v1::Command command;
  command.mutable_open_session()->set_client_id(client_id);
  return Apply(Complete(std::move(command))).session();
}

InodeId Namespace::Resolve(const std::string& path) {
  InodeId at = kRootInode;
  for (size_t begin = 1; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    auto entry = LoadEntry(*store_->View(), at, path.substr(begin, end - begin));
    CAIRN_CHECK(entry.has_value());
    at = InodeId(entry->inode());
    begin = end + 1;
  }
  return at;
}

bool Namespace::Exists(const std::string& path) {
  const Place place = PlaceOf(path);
  return LoadEntry(*store_->View(), InodeId(place.parent), place.name).has_value();
}

v1::InodeRecord Namespace::Inode(const std::string& path) {
  return *LoadInode(*store_->View(), Resolve(path));
}

std::vector<std::string> Namespace::List(const std::string& path) {
  std::vector<std::string> names;
  const std::string prefix = schema::DentryPrefix(Resolve(path));
  CAIRN_CHECK(store_->View()
                  ->Scan(prefix, prefix,
                         [&](std::string_view, std::string_view row) {
                           v1::DentryRecord entry;
                           CAIRN_CHECK(ParseRow("d", row, entry).ok());
                           names.push_back(entry.name());
                           return true;
                         })
                  .ok());
  return names;
}

std::string Namespace::Cuts(const std::string& path) {
  std::string text;
  const v1::InodeRecord inode = Inode(path);
  for (const v1::Cut& cut : inode.file().cuts()) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", cut.generation(), cut.length());
  }
  return text;
}

std::string Namespace::Runs(const std::string& path) {
  return RunsText(Inode(path).file().runs());
}

std::string Namespace::TrimRuns(const std::string& path) {
  return RunsText(Find<v1::TrimRecord>(schema::TrimKey(Resolve(path)))
                      .value_or(v1::TrimRecord())
                      .runs());
}

std::vector<uint64_t> Namespace::Extenders(const std::string& path) {
  const auto row = Find<v1::ExtendRecord>(schema::ExtendKey(Resolve(path)));
  if (!row) return {};
  return {row->sessions().begin(), row->sessions().end()};
}

std::string RunsText(const ChunkRuns& runs) {
  std::string text;
  for (const v1::ChunkRun& run : runs) {
    text += fmt::format("{}{}+{}", text.empty() ? "" : " ", run.first(), run.count());
  }
  return text;
}

}  // namespace cairn::testing
