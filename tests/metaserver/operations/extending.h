// Two mounts and a file of 2.5 chunks that neither of them is writing to.
#pragma once

#include "metaserver/operations/extenders.h"
#include "metaserver/operations/file_cuts.h"
#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

class ExtendingTest : public NamespaceTest {
 protected:
  static constexpr uint64_t kMiB = 1u << 20;  // a chunk
  static constexpr uint64_t kSize = 5 * kMiB / 2;

  ExtendingTest() : first_(fs_.OpenSession("first")), second_(fs_.OpenSession("second")) {
    fs_.MakeFile("/x");
    fs_.Commit("/x", kSize, {{0, 3}}, 0);
  }
  uint64_t Generation() { return fs_.Inode("/x").file().generation(); }

  const uint64_t first_;
  const uint64_t second_;
};

}  // namespace cairn::testing
