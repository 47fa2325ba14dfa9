#include "metaserver/store/schema.h"

#include <gtest/gtest.h>

#include "common/hash.h"

namespace cairn::testing {

namespace {

TEST(SchemaTest, KeysAreThoseOfTheFormatPage) {
  EXPECT_EQ(schema::StateKey(), "s");
  EXPECT_EQ(schema::InodeKey(InodeId(0x0102)), std::string("i\0\0\0\0\0\0\x01\x02", 9));
  EXPECT_EQ(schema::GroupKey(PgId(0x0a0b)), std::string("g\0\0\x0a\x0b", 5));
  EXPECT_EQ(schema::ReplyKey(SessionId(1), 2),
            std::string("R\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02", 17));
  EXPECT_EQ(schema::ClientKey("m"), "cm");
  EXPECT_EQ(schema::DiskKey("d"), "ud");
}

TEST(SchemaTest, NumbersSortAsBytesDo) {
  EXPECT_LT(schema::InodeKey(InodeId(255)), schema::InodeKey(InodeId(256)));
  EXPECT_LT(schema::InodeKey(InodeId(1)), schema::InodeKey(InodeId(UINT64_MAX)));
  EXPECT_EQ(schema::KeyNumber(schema::NumberValue(0x123456789abcdef0u)), 0x123456789abcdef0u);
}

TEST(SchemaTest, AnEntryIsFoundByItsCookie) {
  const std::string key = schema::DentryKey(InodeId(7), "name");
  EXPECT_EQ(schema::DentryCookie(key), NameHash("name"));
  EXPECT_TRUE(key.starts_with(schema::DentryPrefix(InodeId(7))));
  EXPECT_TRUE(key.starts_with(schema::DentryFrom(InodeId(7), NameHash("name"))));
  EXPECT_LT(key, schema::DentryFrom(InodeId(7), NameHash("name") + 1));
}

}  // namespace

}  // namespace cairn::testing
