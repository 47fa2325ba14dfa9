#include "cli/dev/shape.h"

#include <gmock/gmock.h>

#include <set>

namespace cairn {
namespace {

using testing::HasSubstr;

Shape Sample() {
  Shape shape;
  shape.cluster_id = "abc";
  shape.meta = 1;
  shape.founders = 1;
  shape.chunk = 2;
  shape.copies = 2;
  shape.founded = true;
  shape.meta_ports = {{10001, 10002}};
  shape.chunk_ports = {10003, 10004};
  shape.mounts = {"/mnt/with \"quotes\" and \\", "/b"};
  return shape;
}

TEST(ShapeTest, SurvivesItsFile) {
  const auto read = ParseShape("cluster.toml", FormatShape(Sample()));
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(FormatShape(*read), FormatShape(Sample()));
  EXPECT_EQ(read->mounts, Sample().mounts);
  EXPECT_TRUE(read->founded);
  EXPECT_EQ(read->chunk_ports[1], 10004);
}

TEST(ShapeTest, AFileWithoutAPortIsRefused) {
  Shape shape = Sample();
  shape.chunk_ports.pop_back();
  EXPECT_FALSE(ParseShape("cluster.toml", FormatShape(shape)).has_value());
}

TEST(ShapeTest, ANewOneHasAnIdAndDistinctPorts) {
  const auto shape = NewShape({});
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(shape->cluster_id.size(), 32u);
  std::set<uint16_t> ports(shape->chunk_ports.begin(), shape->chunk_ports.end());
  for (const MetaserverPorts& meta : shape->meta_ports) ports.insert({meta.frames, meta.grpc});
  EXPECT_EQ(ports.size(), 9u);
}

TEST(ShapeTest, OneOfBeforeThereWereSeveralMetaserversHasOneFounder) {
  const auto read = ParseShape("cluster.toml",
                               "cluster_id = \"abc\"\nmeta = 1\nchunk = 1\ncopies = 1\n"
                               "[meta1]\nframes = 1\ngrpc = 2\n[chunk1]\nframes = 3\n");
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->meta, 1);
  EXPECT_EQ(read->founders, 1);
}

TEST(ShapeTest, OneMoreMetaserverHasPortsOfItsOwnAndChangesNoFounder) {
  auto shape = NewShape({});
  ASSERT_TRUE(shape.has_value());
  ASSERT_TRUE(AddMetaserver(*shape).ok());
  EXPECT_EQ(shape->meta, 4);
  EXPECT_EQ(shape->founders, 3);
  std::set<uint16_t> ports(shape->chunk_ports.begin(), shape->chunk_ports.end());
  for (const MetaserverPorts& meta : shape->meta_ports) ports.insert({meta.frames, meta.grpc});
  EXPECT_EQ(ports.size(), 11u);
  const auto read = ParseShape("cluster.toml", FormatShape(*shape));
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(FormatShape(*read), FormatShape(*shape));
  ShapeFlags flags;
  flags.meta = 3;
  EXPECT_TRUE(CheckSameShape(*shape, flags).ok());
  while (shape->meta < kMaxDevMetaservers) ASSERT_TRUE(AddMetaserver(*shape).ok());
  EXPECT_EQ(AddMetaserver(*shape).code(), ErrorCode::kInvalidArgument);
}

TEST(ShapeTest, RefusesWhatCannotBe) {
  ShapeFlags flags;
  for (const int meta : {0, 2, 4, 7}) {
    flags.meta = meta;
    EXPECT_THAT(NewShape(flags).error().message(), HasSubstr("--meta " + std::to_string(meta)));
  }
  flags = {};
  flags.chunk = 2;
  EXPECT_THAT(NewShape(flags).error().message(), HasSubstr("--copies 3"));
  flags.copies = 2;
  flags.min_active = 3;
  EXPECT_THAT(NewShape(flags).error().message(), HasSubstr("--min-active 3"));
}

TEST(ShapeTest, DisksAreKeptAndThoseBeforeThereWereSeveralHaveOne) {
  ShapeFlags flags;
  flags.chunk = 1;
  flags.disks = 3;
  const auto shape = NewShape(flags);  // three copies on three disks of one process
  ASSERT_TRUE(shape.has_value()) << shape.error().ToString();
  EXPECT_EQ(ParseShape("cluster.toml", FormatShape(*shape))->disks, 3);
  flags.disks = 2;
  EXPECT_THAT(NewShape(flags).error().message(), HasSubstr("--copies 3"));
  EXPECT_THAT(CheckSameShape(*shape, flags).message(), HasSubstr("--disks 2"));
  flags.disks = 17;
  EXPECT_THAT(NewShape(flags).error().message(), HasSubstr("--disks 17"));
  std::string older = FormatShape(Sample());
  older.erase(older.find("disks = 1\n"), 10);
  EXPECT_EQ(ParseShape("cluster.toml", older)->disks, 1);
}

TEST(ShapeTest, ADifferingFlagIsNamedWithBothValues) {
  ShapeFlags flags;
  flags.chunk = 2;
  EXPECT_TRUE(CheckSameShape(Sample(), flags).ok());
  flags.copies = 1;
  const Status status = CheckSameShape(Sample(), flags);
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("--copies 1"));
  EXPECT_THAT(status.message(), HasSubstr("--copies 2"));
}

}  // namespace
}  // namespace cairn
