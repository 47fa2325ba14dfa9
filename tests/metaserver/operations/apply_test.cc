#include "metaserver/operations/apply.h"

#include <map>
#include <random>
#include <set>

#include "tests/metaserver/operations/namespace.h"
#include "tests/metaserver/seed.h"

namespace cairn::testing {

namespace {

// Commands over a handful of names, so that most of them meet something.
class RandomCommands {
 public:
  RandomCommands(uint64_t seed, uint64_t session) : random_(seed), session_(session) {}

  v1::Command Next(Namespace& fs) {
    v1::Command command;
    switch (Pick(10)) {
      case 0:
        Fill(*command.mutable_make_directory(), fs)->set_mode(0777);
        break;
      case 1:
      case 2:
        Fill(*command.mutable_create(), fs)->set_mode(0666);
        break;
      case 3:
        Fill(*command.mutable_unlink(), fs);
        break;
      case 4:
        Fill(*command.mutable_remove_directory(), fs);
        break;
      case 5:
        Fill(*command.mutable_make_symlink(), fs)->set_target("t");
        break;
      case 6:
        MakeRename(*Fill(*command.mutable_rename(), fs), fs);
        break;
      case 7:
        MakeLink(*command.mutable_link(), fs);
        break;
      case 8:
        MakeWrite(*command.mutable_commit_write(), fs);
        break;
      default:
        MakeTruncation(*command.mutable_set_attributes(), fs);
    }
    if (Pick(2) == 0) fs.HeldBy({session_});
    v1::Command complete = fs.Complete(std::move(command));
    fs.HeldBy({});
    return complete;
  }
  uint64_t Pick(uint64_t choices) { return random_() % choices; }

 private:
  uint64_t AnyInode(Namespace& fs) { return 1 + Pick(fs.State().next_inode()); }
  std::string AnyName() { return std::string(1, static_cast<char>('a' + Pick(5))); }
  template <typename Request>
  void Identify(Request& request) {
    request.mutable_id()->set_session(session_);
    request.mutable_id()->set_sequence(++sequence_);
    request.mutable_id()->set_lowest_unanswered(sequence_ > 5 ? sequence_ - 5 : 1);
  }
  template <typename Request>
  Request* Fill(Request& request, Namespace& fs) {
    Identify(request);
    request.set_parent(Pick(2) == 0 ? 1 : AnyInode(fs));
    request.set_name(AnyName());
    return &request;
  }
  void MakeRename(v1::RenameRequest& request, Namespace& fs) {
    request.set_new_parent(Pick(2) == 0 ? 1 : AnyInode(fs));
    request.set_new_name(AnyName());
    request.set_flags(static_cast<uint32_t>(Pick(3)));
  }
  void MakeLink(v1::LinkRequest& request, Namespace& fs) {
    Identify(request);
    request.set_inode(AnyInode(fs));
    request.set_new_parent(1);
    request.set_new_name(AnyName());
  }
  void MakeWrite(v1::CommitWriteRequest& request, Namespace& fs) {
    Identify(request);
    request.set_inode(AnyInode(fs));
    request.set_end(Pick(8u << 20));
    request.add_runs()->set_first(static_cast<uint32_t>(Pick(8)));
    request.mutable_runs(0)->set_count(1 + static_cast<uint32_t>(Pick(3)));
  }
  void MakeTruncation(v1::SetAttributesRequest& request, Namespace& fs) {
    Identify(request);
    request.set_inode(AnyInode(fs));
    request.set_size(Pick(8u << 20));
  }

  std::mt19937_64 random_;
  uint64_t session_;
  uint64_t sequence_ = 0;
};

// What must hold whatever happened: counters, link counts, parents, orphans.
void CheckConsistent(Namespace& fs) {
  std::map<uint64_t, v1::InodeRecord> inodes;
  std::map<uint64_t, uint32_t> names;
  std::map<uint64_t, uint32_t> subdirectories;
  std::set<uint64_t> orphans;
  for (const auto& [key, row] : RowsOf(fs.store())) {
    if (key[0] == 'i') {
      ASSERT_TRUE(inodes[schema::KeyNumber(key.substr(1))].ParseFromString(row));
    }
    if (key[0] == 'o') orphans.insert(schema::KeyNumber(key.substr(1)));
    if (key[0] != 'd') continue;
    v1::DentryRecord entry;
    ASSERT_TRUE(entry.ParseFromString(row));
    ++names[entry.inode()];
    if (S_ISDIR(entry.mode())) ++subdirectories[schema::KeyNumber(key.substr(1))];
  }
  uint64_t bytes = 0;
  for (const auto& [id, inode] : inodes) {
    if (IsRegularFile(inode)) bytes += inode.attributes().size();
    if (IsDirectory(inode)) {
      ASSERT_EQ(inode.attributes().links(), 2 + subdirectories[id]);
      ASSERT_TRUE(inodes.contains(inode.parent()));
    } else {
      ASSERT_EQ(inode.attributes().links(), names[id]);
      ASSERT_EQ(orphans.contains(id), names[id] == 0);
    }
  }
  for (const auto& [id, count] : names) ASSERT_TRUE(inodes.contains(id)) << "a name of nothing";
  ASSERT_EQ(fs.State().inode_count(), inodes.size());
  ASSERT_EQ(fs.State().file_bytes(), bytes);
}

TEST(ApplyTest, RuleM7BothStoresHoldTheSameRowsAfterTheSameCommands) {
  const uint64_t seed = TestSeed();
  TemporaryDirectory directory;
  Namespace memory(MakeMemoryStore());
  Namespace disk(OpenStore(StoreKind::kLevelDb, directory.path()));
  const uint64_t session = memory.OpenSession("mount");
  ASSERT_EQ(disk.OpenSession("mount"), session);
  RandomCommands commands(seed, session);
  for (int step = 0; step < 1500; ++step) {
    const v1::Command command = commands.Next(memory);
    if (command.new_inode() != 0) {
      v1::Command reserve;
      reserve.mutable_reserve_inodes()->set_count(1);
      disk.Apply(reserve);
    }
    const v1::Outcome outcome = memory.Apply(command);
    ASSERT_EQ(disk.Apply(command).SerializeAsString(), outcome.SerializeAsString());
    if (commands.Pick(20) == 0) {  // a retry changes nothing
      const AllRows before = RowsOf(memory.store());
      const v1::Outcome again = memory.Apply(command);
      ASSERT_TRUE(again.replayed() || outcome.code() != 0);
      ASSERT_EQ(RowsOf(memory.store()), before);
    }
    if (step % 100 == 0) CheckConsistent(memory);
  }
  CheckConsistent(memory);
  EXPECT_EQ(RowsOf(memory.store()), RowsOf(disk.store()));
}

TEST(ApplyTest, RuleM7OneBatchOrManyGiveTheSameRows) {
  Namespace one_by_one(MakeMemoryStore());
  Namespace together(MakeMemoryStore());
  RandomCommands random(TestSeed(), one_by_one.OpenSession("mount"));
  together.OpenSession("mount");
  std::vector<v1::Command> commands;
  for (int step = 0; step < 300; ++step) {
    commands.push_back(random.Next(one_by_one));
    one_by_one.Apply(commands.back());
  }
  v1::Command reserve;
  reserve.mutable_reserve_inodes()->set_count(one_by_one.State().next_inode() -
                                              together.State().next_inode());
  together.Apply(reserve);
  {
    const auto view = together.store().View();
    auto txn = MetadataTransaction::Begin(*view);
    for (const v1::Command& command : commands) ApplyCommand(command, *txn);
    ASSERT_TRUE(together.store().Write(*txn->Finish(), false).ok());
  }
  EXPECT_EQ(RowsOf(one_by_one.store()), RowsOf(together.store()));
}

TEST(ApplyTest, NothingButItsBirthHappensToAnUnfoundedCluster) {
  auto store = MakeMemoryStore();
  const auto view = store->View();
  auto txn = MetadataTransaction::Begin(*view);
  v1::Command command;
  command.mutable_reserve_inodes()->set_count(1);
  EXPECT_EQ(Namespace::CodeOf(ApplyCommand(command, *txn)), Code::kUnavailable);
  command.mutable_found_cluster()->set_cluster_id("c");
  EXPECT_EQ(Namespace::CodeOf(ApplyCommand(command, *txn)), Code::kInvalidArgument);
  command.mutable_found_cluster()->set_copies(1);
  EXPECT_EQ(Namespace::CodeOf(ApplyCommand(command, *txn)), Code::kOk);
  command.Clear();
  EXPECT_EQ(Namespace::CodeOf(ApplyCommand(command, *txn)), Code::kUnimplemented);
}

}  // namespace

}  // namespace cairn::testing
