#include "common/boot_id.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

TEST(BootId, IsTheSameUuidEachTime) {
  EXPECT_EQ(BootId().size(), 36u);
  EXPECT_EQ(BootId(), BootId());
}

}  // namespace
}  // namespace cairn
