#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataNamesTest : public ServiceTest {};

TEST_F(MetadataNamesTest, MakesLooksUpAndRemovesEntries) {
  v1::MakeDirectoryRequest directory;
  directory.set_parent(1);
  directory.set_name("dir");
  directory.set_mode(0755);
  const auto made = Ask<v1::EntryResponse>(v1::METADATA_MAKE_DIRECTORY, directory);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(Lookup("dir")->attributes().inode(), made->attributes().inode());
  EXPECT_EQ(CodeOf(Lookup("none")), Code::kNotFound);
  EXPECT_EQ(CodeOf(Lookup("..")), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Lookup(std::string(256, 'x'))), Code::kNameTooLong);

  v1::MakeSymlinkRequest symlink;
  symlink.set_parent(made->attributes().inode());
  symlink.set_name("link");
  symlink.set_target("../x");
  const auto link = Ask<v1::EntryResponse>(v1::METADATA_MAKE_SYMLINK, symlink);
  v1::ReadSymlinkRequest read;
  read.set_inode(link->attributes().inode());
  EXPECT_EQ(Ask<v1::ReadSymlinkResponse>(v1::METADATA_READ_SYMLINK, read)->target(), "../x");
  read.set_inode(1);
  EXPECT_EQ(CodeOf(Ask<v1::ReadSymlinkResponse>(v1::METADATA_READ_SYMLINK, read)),
            Code::kInvalidArgument);

  v1::RemoveDirectoryRequest remove;
  remove.set_parent(1);
  remove.set_name("dir");
  EXPECT_EQ(CodeOf(Ask<v1::RemovedResponse>(v1::METADATA_REMOVE_DIRECTORY, remove)),
            Code::kNotEmpty);
}

}  // namespace

}  // namespace cairn::testing
