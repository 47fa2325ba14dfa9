#include "metaserver/cluster/stored_listings.h"

#include <gmock/gmock.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Answers what a test says, page by page.
class ScriptedInspector final : public ChunkInspector {
 public:
  void List(const v1::ServerRecord& server, const v1::ListStoredRequest& request, Deadline,
            std::function<void(Result<v1::ListStoredResponse>)> done) override {
    asked.push_back(fmt::format("{} {}/{}", server.host(), request.after_inode(),
                                static_cast<int32_t>(request.after_index())));
    auto& pages = answers[server.host()];
    if (pages.empty()) return done(Fail(ErrorCode::kUnavailable, "down"));
    const v1::ListStoredResponse page = pages.front();
    pages.erase(pages.begin());
    done(page);
  }
  void SetAside(const v1::ServerRecord&, const v1::SetAsideRequest&, Deadline,
                std::function<void(Result<v1::SetAsideResponse>)>) override {}

  std::map<std::string, std::vector<v1::ListStoredResponse>> answers;
  std::vector<std::string> asked;
};

class StoredListingsTest : public testing::Test {
 protected:
  static v1::ListStoredResponse PageOf(std::initializer_list<ChunkId> ids, bool end) {
    v1::ListStoredResponse page;
    for (const ChunkId id : ids) {
      page.add_chunks()->set_inode(id.inode.value);
      page.mutable_chunks()->rbegin()->set_index(id.index);
    }
    page.set_end(end);
    return page;
  }
  static ChunkId Id(uint64_t inode, uint32_t index = 0) { return {InodeId(inode), index}; }
  StoredListings Fetch(ChunkId after, ChunkId until) {
    std::map<ServerId, v1::ServerRecord> servers;
    for (const auto& [host, pages] : inspector_.answers) {
      servers[ServerId(static_cast<uint32_t>(host[0] - 'a' + 1))].set_host(host);
    }
    return FetchStored(inspector_, servers, after, until, 2,
                       Deadline::After(std::chrono::seconds(1)));
  }
  ScriptedInspector inspector_;
};

TEST_F(StoredListingsTest, OnePageOfEachServerSaysHowFarItGoes) {
  inspector_.answers["a"] = {PageOf({Id(2), Id(3)}, false)};
  inspector_.answers["b"] = {PageOf({}, true)};
  const StoredListings listed = Fetch(Id(1, UINT32_MAX), Id(1, UINT32_MAX));
  EXPECT_EQ(listed.covered.at(ServerId(1)), Id(3));
  EXPECT_EQ(listed.covered.at(ServerId(2)), kLastChunk);
  EXPECT_EQ(listed.chunks.at(ServerId(1)).size(), 2u);
  EXPECT_THAT(listed.silent, IsEmpty());
  EXPECT_THAT(inspector_.asked, ElementsAre("a 1/-1", "b 1/-1"));
}

TEST_F(StoredListingsTest, AsManyPagesAreFetchedAsItTakesToComeToAnId) {
  inspector_.answers["a"] = {PageOf({Id(2), Id(3)}, false), PageOf({Id(3, 1), Id(9)}, false),
                             PageOf({Id(10)}, true)};
  const StoredListings listed = Fetch({}, Id(9));
  EXPECT_EQ(listed.covered.at(ServerId(1)), Id(9));
  EXPECT_EQ(listed.chunks.at(ServerId(1)).size(), 4u);
  EXPECT_THAT(inspector_.asked, ElementsAre("a 0/0", "a 3/0"));
}

TEST_F(StoredListingsTest, WhoeverDoesNotAnswerIsSilentWithAllItSaidBefore) {
  inspector_.answers["a"] = {PageOf({Id(2), Id(3)}, false)};
  inspector_.answers["b"] = {PageOf({Id(2)}, true)};
  const StoredListings listed = Fetch({}, Id(9));
  EXPECT_THAT(listed.silent, ElementsAre(ServerId(1)));
  EXPECT_FALSE(listed.chunks.contains(ServerId(1)));
  EXPECT_FALSE(listed.covered.contains(ServerId(1)));
  EXPECT_TRUE(listed.chunks.contains(ServerId(2)));
}

// It would be asked for ever, or be believed to lack what it does not list.
TEST_F(StoredListingsTest, PagesThatMakeNoSenseAreNoAnswer) {
  inspector_.answers["a"] = {PageOf({}, false)};
  inspector_.answers["b"] = {PageOf({Id(5), Id(4)}, true)};
  inspector_.answers["c"] = {PageOf({Id(5), Id(5)}, true)};
  inspector_.answers["d"] = {PageOf({Id(1)}, true)};
  EXPECT_EQ(Fetch(Id(1), Id(9)).silent.size(), 4u);
}

}  // namespace
}  // namespace cairn
