#include "metaserver/store/rows.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

namespace {

TEST(RowsTest, ARowThatDoesNotParseIsCorrupt) {
  auto store = MakeMemoryStore();
  ASSERT_TRUE(store->Write({{schema::InodeKey(InodeId(5)), "\xff\xff"}}, false).ok());
  EXPECT_EQ(LoadInode(*store->View(), InodeId(5)).error().code(), ErrorCode::kCorruption);
}

TEST(RowsTest, WhatIsMissingIsSaidByWhatItWas) {
  auto store = MakeMemoryStore();
  v1::InodeRecord directory;
  directory.mutable_attributes()->set_mode(S_IFDIR);
  v1::InodeRecord pipe;
  pipe.mutable_attributes()->set_mode(S_IFIFO);
  ASSERT_TRUE(store
                  ->Write({{schema::InodeKey(InodeId(1)), directory.SerializeAsString()},
                           {schema::InodeKey(InodeId(2)), pipe.SerializeAsString()}},
                          false)
                  .ok());
  const auto view = store->View();
  EXPECT_EQ(LoadInode(*view, InodeId(9)).error().code(), ErrorCode::kStaleHandle);
  EXPECT_EQ(LoadDirectory(*view, InodeId(9)).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(LoadDirectory(*view, InodeId(2)).error().code(), ErrorCode::kNotDirectory);
  EXPECT_EQ(LoadRegularFile(*view, InodeId(1)).error().code(), ErrorCode::kIsDirectory);
  EXPECT_EQ(LoadRegularFile(*view, InodeId(2)).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(LoadEntry(*view, InodeId(1), "x").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(*IsEmptyDirectory(*view, InodeId(1)));
}

}  // namespace

}  // namespace cairn::testing
