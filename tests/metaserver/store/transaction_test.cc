#include "metaserver/store/transaction.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

namespace {

v1::InodeRecord File(uint64_t id, uint64_t size) {
  v1::InodeRecord inode;
  inode.mutable_attributes()->set_inode(id);
  inode.mutable_attributes()->set_mode(S_IFREG);
  inode.mutable_attributes()->set_size(size);
  return inode;
}

// A disk that fails every read.
class BrokenView final : public ReadView {
 public:
  Result<std::optional<std::string>> Get(std::string_view key) const override {
    if (key == schema::StateKey()) return std::optional<std::string>();
    return Fail(ErrorCode::kIoError, "broken");
  }
  Status Scan(std::string_view, std::string_view,
              const std::function<bool(std::string_view, std::string_view)>&) const override {
    return Status(ErrorCode::kIoError, "broken");
  }
};

TEST(TransactionTest, CountersFollowTheInodes) {
  auto store = MakeMemoryStore();
  const auto view = store->View();
  auto txn = MetadataTransaction::Begin(*view);
  v1::InodeRecord file = File(5, 0);
  txn->AddInode(file);
  txn->ChangeSize(file, 100);
  txn->StoreInode(file);
  EXPECT_EQ(file.attributes().version(), 2u);
  EXPECT_EQ(txn->state().inode_count(), 1u);
  EXPECT_EQ(txn->state().file_bytes(), 100u);
  txn->Mark();
  txn->RemoveInode(file);
  EXPECT_EQ(txn->state().file_bytes(), 0u);
  txn->RollBack();
  EXPECT_EQ(txn->state().file_bytes(), 100u);
  EXPECT_TRUE(LoadInode(*txn, InodeId(5)).has_value());
}

TEST(TransactionTest, TheStateRowIsWrittenWithTheBatch) {
  auto store = MakeMemoryStore();
  {
    const auto view = store->View();
    auto txn = MetadataTransaction::Begin(*view);
    txn->mutable_state().set_applied_index(9);
    txn->AddEntry(InodeId(1), "x", InodeId(5), S_IFREG | 0644);
    ASSERT_TRUE(store->Write(*txn->Finish(), false).ok());
  }
  EXPECT_EQ(LoadState(*store->View())->applied_index(), 9u);
  EXPECT_EQ(LoadEntry(*store->View(), InodeId(1), "x")->mode(), uint32_t{S_IFREG});
}

TEST(TransactionTest, AFailingStoreIsRemembered) {
  BrokenView broken;
  auto txn = MetadataTransaction::Begin(broken);
  ASSERT_TRUE(txn.has_value());
  EXPECT_TRUE(txn->store_status().ok());
  EXPECT_FALSE(LoadInode(*txn, InodeId(5)).has_value());
  EXPECT_EQ(txn->store_status().code(), ErrorCode::kIoError);
}

}  // namespace

}  // namespace cairn::testing
