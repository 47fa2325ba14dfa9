#include "chunkserver/store/write_plan.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

TEST(VisitPieces, CutsARangeAtBlocks) {
  std::vector<std::pair<uint64_t, size_t>> pieces;
  const std::vector<std::byte> data = Filled(9000, 'a');
  ASSERT_OK(VisitPieces(4000, data, [&](size_t, uint64_t offset, std::span<const std::byte> bytes) {
    pieces.emplace_back(offset, bytes.size());
    return OkStatus();
  }));
  EXPECT_THAT(pieces, testing::ElementsAre(std::pair(4000u, 96u), std::pair(4096u, 4096u),
                                           std::pair(8192u, 4096u), std::pair(12288u, 712u)));
  EXPECT_EQ(CountPieces(4000, 9000), 4u);
  EXPECT_EQ(CountPieces(0, 0), 0u);
  EXPECT_EQ(CountPieces(4095, 2), 2u);
}

class WritePlanTest : public StoreTest {
 protected:
  // How many file writes a change takes.
  size_t Writes(const std::function<void()>& change) {
    size_t count = 0;
    watcher_ = [&](const DiskOperation& operation, bool after) {
      count += after && operation.name == "write" ? 1 : 0;
    };
    change();
    watcher_ = nullptr;
    return count;
  }
};

TEST_F(WritePlanTest, WritesInPlaceAndIntoRoomAreSeparate) {
  ASSERT_OK(Fill(4096, 4096, 'a'));
  EXPECT_EQ(Writes([&] { ASSERT_OK(Fill(0, 3 * 4096, 'b')); }), 3u);
  EXPECT_EQ(ReadText(0, 3 * 4096), std::string(3 * 4096, 'b'));
}

TEST_F(WritePlanTest, APieceOfAnAbsentBlockInsideTheFileIsWrittenAsAWholeBlock) {
  ASSERT_OK(Fill(5 * 4096, 4096, 'a'));
  ASSERT_OK(Fill(100, 10, 'b'));
  EXPECT_EQ(ReadText(0, 4096),
            std::string(100, '\0') + std::string(10, 'b') + std::string(3986, '\0'));
}

}  // namespace
}  // namespace cairn
