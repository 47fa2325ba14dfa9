#include "metaserver/operations/names.h"

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class NamesInCommandsTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(NamesInCommandsTest);

TEST_P(NamesInCommandsTest, NamesAreChecked) {
  EXPECT_EQ(fs_.MakeFile("/" + std::string(256, 'n')), Code::kNameTooLong);
  EXPECT_EQ(fs_.MakeFile("/" + std::string(255, 'n')), Code::kOk);
  for (const std::string& name : {std::string(), std::string("."), std::string(".."),
                                  std::string("a/b"), std::string("a\0b", 3)}) {
    v1::Command command;
    command.mutable_create()->set_parent(1);
    command.mutable_create()->set_name(name);
    EXPECT_EQ(fs_.Run(command), Code::kInvalidArgument) << name;
  }
}

TEST(NamesTest, WhatIsNotAnEntrysNameIsRefused) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."),
                                  std::string("a/b"), std::string("a\0b", 3)}) {
    EXPECT_EQ(CheckName(name).code(), Code::kInvalidArgument) << name;
  }
  EXPECT_EQ(CheckName(std::string(256, 'n')).code(), Code::kNameTooLong);
  EXPECT_TRUE(CheckName(std::string(255, 'n')).ok());
  EXPECT_TRUE(CheckName("...").ok());
  EXPECT_TRUE(CheckName("\xff\xfe").ok());  // names are bytes
}

}  // namespace

}  // namespace cairn::testing
