#include "metaserver/cluster/stored_listings.h"

#include <optional>
#include <utility>

#include "common/logging.h"
#include "metaserver/cluster/countdown.h"

namespace cairn {
namespace {

using PagesOfServers = std::map<ServerId, Result<v1::ListStoredResponse>>;

// Whoever answers after that harms nobody: the answers are shared with the callbacks.
std::shared_ptr<PagesOfServers> AskAll(ChunkInspector& inspector,
                                       const std::map<ServerId, v1::ServerRecord>& servers,
                                       const std::map<ServerId, ChunkId>& after, uint32_t limit,
                                       Deadline deadline) {
  const auto answers = std::make_shared<PagesOfServers>();
  for (const auto& [server, from] : after) {
    answers->emplace(server, Fail(ErrorCode::kUnavailable, "no answer"));
  }
  const auto left = std::make_shared<Countdown>(after.size());
  for (const auto& [server, from] : after) {
    v1::ListStoredRequest request;
    request.set_after_inode(from.inode.value);
    request.set_after_index(from.index);
    request.set_limit(limit);
    Result<v1::ListStoredResponse>& answer = answers->at(server);
    inspector.List(servers.at(server), request, deadline,
                   [answers, left, &answer](Result<v1::ListStoredResponse> response) {
                     answer = std::move(response);
                     left->Done();
                   });
  }
  left->Wait();
  return answers;
}

// Adds a page; nullopt: it is not what was asked for. Else up to where the server is listed.
std::optional<ChunkId> AddPage(const v1::ListStoredResponse& page, ChunkId after,
                               std::vector<ListedChunk>& chunks) {
  for (const v1::StoredChunk& stored : page.chunks()) {
    const ChunkId id{InodeId(stored.inode()), stored.index()};
    if (id <= after) return std::nullopt;
    chunks.push_back({id, PgId(stored.group()), stored.bytes()});
    after = id;
  }
  if (page.end()) return kLastChunk;
  if (page.chunks().empty()) return std::nullopt;
  return after;
}

}  // namespace

StoredListings FetchStored(ChunkInspector& inspector,
                           const std::map<ServerId, v1::ServerRecord>& servers, ChunkId after,
                           ChunkId until, uint32_t limit, Deadline deadline) {
  StoredListings listings;
  std::map<ServerId, ChunkId> open;  // and up to where they are listed
  for (const auto& [server, endpoint] : servers) open[server] = after;
  while (!open.empty()) {
    const auto answers = AskAll(inspector, servers, open, limit, deadline);
    for (const auto& [server, answer] : *answers) {
      std::vector<ListedChunk>& chunks = listings.chunks[server];
      const std::optional<ChunkId> covered =
          answer.has_value() ? AddPage(*answer, open.at(server), chunks) : std::nullopt;
      if (!covered) {
        LOG_INFO("chunks of a server could not be listed server={} reason=\"{}\"", server,
                 answer.has_value() ? "pages out of order" : answer.error().ToString());
        listings.silent.insert(server);
        listings.chunks.erase(server);
        listings.covered.erase(server);
        open.erase(server);
        continue;
      }
      listings.covered[server] = open[server] = *covered;
      if (*covered >= until) open.erase(server);
    }
  }
  return listings;
}

}  // namespace cairn
