#include "rpc/chunk_token.h"
#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

constexpr int64_t kHour = 3600;

class RotateTokenKeyTest : public NamespaceTest {
 protected:
  Code Rotate(uint32_t id, int64_t at, char secret = 's') {
    v1::Command command;
    command.mutable_rotate_token_key()->set_id(id);
    command.mutable_rotate_token_key()->set_secret(std::string(kTokenKeyBytes, secret));
    command.mutable_time()->set_seconds(at);
    return Namespace::CodeOf(fs_.Apply(command));
  }
  void Fence(const std::string& client, int64_t at) {
    v1::Command command;
    command.mutable_close_session()->set_session(fs_.OpenSession(client));
    command.mutable_close_session()->set_fence(true);
    command.mutable_time()->set_seconds(at);
    ASSERT_EQ(Namespace::CodeOf(fs_.Apply(command)), Code::kOk);
  }
  std::string Keys() {
    std::string text;
    const auto record = fs_.Find<v1::TokenKeysRecord>(schema::TokenKeysKey());
    if (!record) return text;
    for (const v1::TokenKey& key : record->keys()) {
      text += fmt::format("{}@{} ", key.id(), key.made().seconds());
    }
    return text;
  }
  bool HasFence(uint64_t sequence) {
    return fs_.Find<v1::Fence>(schema::FenceKey(sequence)).has_value();
  }
};
CAIRN_OVER_BOTH_STORES(RotateTokenKeyTest);

TEST_P(RotateTokenKeyTest, TheLatestThreeAreKept) {
  for (uint32_t id = 1; id <= 4; ++id) ASSERT_EQ(Rotate(id, 1000 * id), Code::kOk);
  EXPECT_EQ(Keys(), "2@2000 3@3000 4@4000 ");
}

TEST_P(RotateTokenKeyTest, OfTwoForTheSameIdTheFirstCounts) {
  ASSERT_EQ(Rotate(1, 1000, 'a'), Code::kOk);
  EXPECT_EQ(Rotate(1, 2000, 'b'), Code::kOk);
  EXPECT_EQ(Rotate(3, 3000, 'c'), Code::kOk);
  EXPECT_EQ(Keys(), "1@1000 ");
  EXPECT_EQ(fs_.Find<v1::TokenKeysRecord>(schema::TokenKeysKey())->keys(0).secret()[0], 'a');
}

TEST_P(RotateTokenKeyTest, AKeyThatIsTooShortIsNone) {
  v1::Command command;
  command.mutable_rotate_token_key()->set_id(1);
  command.mutable_rotate_token_key()->set_secret("short");
  EXPECT_EQ(fs_.Run(command), Code::kInvalidArgument);
  EXPECT_EQ(Keys(), "");
}

TEST_P(RotateTokenKeyTest, RuleL1AFenceIsKeptAsLongAsATokenMayNameItsSession) {
  ASSERT_EQ(Rotate(1, 0), Code::kOk);
  Fence("dead", kHour / 2);
  Fence("dead later", 2 * kHour + 1);
  ASSERT_EQ(Rotate(2, kHour), Code::kOk);
  ASSERT_EQ(Rotate(3, 2 * kHour), Code::kOk);
  EXPECT_TRUE(HasFence(1));  // key 1 is older
  ASSERT_EQ(Rotate(4, 3 * kHour), Code::kOk);
  EXPECT_FALSE(HasFence(1));
  EXPECT_TRUE(HasFence(2));
  EXPECT_EQ(fs_.State().next_fence(), 2u);  // a number is never used twice
}

// Whatever the keys: some chunkserver's idea of time may be behind.
TEST_P(RotateTokenKeyTest, RuleL1AFenceIsKeptForTwoHoursAtLeast) {
  Fence("dead", 1000);
  for (uint32_t id = 1; id <= 4; ++id) ASSERT_EQ(Rotate(id, 1000 + id), Code::kOk);
  EXPECT_TRUE(HasFence(1));
  ASSERT_EQ(Rotate(5, 1000 + 2 * kHour), Code::kOk);
  EXPECT_FALSE(HasFence(1));
}

}  // namespace

}  // namespace cairn::testing
