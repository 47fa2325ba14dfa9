#include <set>

#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataDirectoriesTest : public ServiceTest {
 protected:
  v1::ReadDirectoryResponse Read(uint64_t cookie, uint32_t limit, bool attributes = false) {
    v1::ReadDirectoryRequest request;
    request.set_inode(1);
    request.set_cookie(cookie);
    request.set_limit(limit);
    request.set_attributes(attributes);
    return *Ask<v1::ReadDirectoryResponse>(v1::METADATA_READ_DIRECTORY, request);
  }
};

TEST_F(MetadataDirectoriesTest, EveryEntryComesOnceWhateverTheLimit) {
  for (int i = 0; i < 50; ++i) Create("file" + std::to_string(i), 0);
  for (uint32_t limit : {1u, 7u, 50u, 1000u}) {
    std::set<std::string> names;
    uint64_t cookie = 0;
    for (bool end = false; !end;) {
      const v1::ReadDirectoryResponse part = Read(cookie, limit);
      for (const auto& entry : part.entries()) EXPECT_TRUE(names.insert(entry.name()).second);
      ASSERT_LE(part.entries_size(), static_cast<int>(limit));
      end = part.end();
      if (!end) cookie = part.entries().rbegin()->cookie();
    }
    EXPECT_EQ(names.size(), 50u);
  }
}

TEST_F(MetadataDirectoriesTest, EntriesBringTheirAttributes) {
  const v1::EntryResponse created = Create("x", 0);
  const v1::ReadDirectoryResponse all = Read(0, 0, true);
  ASSERT_EQ(all.entries_size(), 1);
  EXPECT_TRUE(all.end());
  EXPECT_EQ(all.parent(), 1u);
  EXPECT_EQ(all.entries(0).entry().attributes().SerializeAsString(),
            created.attributes().SerializeAsString());
  EXPECT_TRUE(all.entries(0).entry().has_file());
}

TEST_F(MetadataDirectoriesTest, ARemovedDirectoryIsEmptyAndAFileIsNone) {
  v1::ReadDirectoryRequest request;
  request.set_inode(4711);
  auto gone = Ask<v1::ReadDirectoryResponse>(v1::METADATA_READ_DIRECTORY, request);
  EXPECT_TRUE(gone->end());
  EXPECT_EQ(gone->entries_size(), 0);
  request.set_inode(Create("x", 0).attributes().inode());
  EXPECT_EQ(CodeOf(Ask<v1::ReadDirectoryResponse>(v1::METADATA_READ_DIRECTORY, request)),
            Code::kNotDirectory);
  request.set_inode(1);
  request.set_cookie(UINT64_MAX);
  EXPECT_EQ(CodeOf(Ask<v1::ReadDirectoryResponse>(v1::METADATA_READ_DIRECTORY, request)),
            Code::kInvalidArgument);
}

}  // namespace

}  // namespace cairn::testing
