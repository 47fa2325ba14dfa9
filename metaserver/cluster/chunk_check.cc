#include "metaserver/cluster/chunk_check.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "common/await.h"
#include "common/logging.h"
#include "metaserver/cluster/countdown.h"
#include "metaserver/cluster/file_paths.h"
#include "metaserver/store/rows.h"

namespace cairn {
namespace {

constexpr Duration kListTime = std::chrono::seconds(5);
// One page ends at the next inode when it has found so much.
constexpr size_t kManyFindings = 1000;
// Of all servers together, in one listing.
constexpr size_t kMostChunksListed = 200000;
constexpr uint32_t kMostChunksOfServer = 4096;
constexpr uint32_t kFewestChunksOfServer = 16;
constexpr size_t kSentAtOnce = 64;

Deadline Sooner(Deadline deadline, Duration time) {
  return Deadline::After(std::min(deadline.Left(), time));
}

ChunkId EndOf(InodeId inode) {
  return {inode, UINT32_MAX};
}

// At the end of an inode if that is any way at all.
ChunkId RoundDown(ChunkId after, ChunkId upto) {
  if (upto.index == UINT32_MAX) return upto;
  const ChunkId whole = EndOf(InodeId(upto.inode.value - 1));
  return whole > after ? whole : upto;
}

const char* CodeOf(ChunkSuspicion::Kind kind) {
  switch (kind) {
    case ChunkSuspicion::Kind::kOrphan:
      return "ORPHAN";
    case ChunkSuspicion::Kind::kSurplus:
      return "SURPLUS";
    case ChunkSuspicion::Kind::kMissing:
      return "MISSING";
    case ChunkSuspicion::Kind::kLost:
      return "LOST";
  }
  return "";
}

v1::ChunkFinding FindingOf(const ChunkSuspicion& suspicion, uint64_t bytes) {
  v1::ChunkFinding finding;
  finding.set_inode(suspicion.id.inode.value);
  finding.set_index(suspicion.id.index);
  finding.set_group(suspicion.group.value);
  finding.set_server(suspicion.server.value);
  finding.set_code(CodeOf(suspicion.kind));
  finding.set_bytes(bytes);
  return finding;
}

// A page full of findings ends at the inode that fills it.
void Limit(ChunkRange& range, ChunkComparison& comparison) {
  std::map<InodeId, size_t> counts;
  for (const auto& [suspicion, bytes] : comparison.suspicions) ++counts[suspicion.id.inode];
  size_t count = 0;
  for (const auto& [inode, of_it] : counts) {
    count += of_it;
    if (count < kManyFindings || EndOf(inode) >= range.upto) continue;
    range.upto = EndOf(inode);
    break;
  }
  std::erase_if(comparison.suspicions,
                [&](const auto& entry) { return !range.Holds(entry.first.id); });
  std::erase_if(comparison.cut_short, [&](InodeId inode) { return inode > range.upto.inode; });
}

// Only what lies in the range, and of `inodes` alone unless there are none.
void Trim(const ChunkRange& range, const std::set<InodeId>& inodes, ServerListings& listings) {
  for (auto& [server, chunks] : listings) {
    std::erase_if(chunks, [&](const ListedChunk& chunk) {
      return !range.Holds(chunk.id) || (!inodes.empty() && !inodes.contains(chunk.id.inode));
    });
  }
}

}  // namespace

// One page on its way.
struct ChunkCheck::Walk {
  Term term;
  bool repair = false;
  Deadline deadline;
  ChunkId after;
  std::set<ServerId> silent;
  std::vector<v1::ChunkFinding> findings;
  std::set<InodeId> cut_short;
  uint64_t chunks_seen = 0;

  // Enough was found about the one in the middle of which this is.
  void SkipRestOfInode() {
    if (after.index == UINT32_MAX) return;
    if (!cut_short.contains(after.inode) && findings.size() < kManyFindings) return;
    cut_short.insert(after.inode);
    after = EndOf(after.inode);
  }
};

ServerViews ChunkCheck::ViewsOf(const MapSnapshot& map) const {
  return [this, &map](ServerId server) {
    const v1::ServerRecord* record = map.FindServer(server);
    return record == nullptr ? ServerView() : registry_.View(*record);
  };
}

std::map<ServerId, v1::ServerRecord> ChunkCheck::ServersToAsk(const MapSnapshot& map,
                                                          Walk& walk) const {
  std::map<ServerId, v1::ServerRecord> servers;
  for (const auto& [id, record] : map.servers) {
    if (registry_.View(record).presence == ServerView::Presence::kAlive) {
      servers[id] = record;
    } else {
      walk.silent.insert(id);
    }
  }
  return servers;
}

Status ChunkCheck::ConfirmLeads(const Walk& walk) {
  if (state_.LeaseHolds(walk.term)) return OkStatus();
  struct Answer {
    absl::Mutex mu;
    std::optional<bool> leads;
  };
  const auto answer = std::make_shared<Answer>();
  state_.ConfirmLeadership(walk.term, [answer](bool leads) {
    absl::MutexLock lock(&answer->mu);
    answer->leads = leads;
  });
  absl::MutexLock lock(&answer->mu);
  auto answered = [&] { return answer->leads.has_value(); };
  const bool heard = AwaitUntil(answer->mu, absl::Condition(&answered), walk.deadline);
  if (heard && *answer->leads) return OkStatus();
  return Status(ErrorCode::kNotLeader, "leadership was lost in the middle of the page");
}

Result<ChunkCheck::Sight> ChunkCheck::See(const Walk& walk, const Load& load) {
  const Deadline fresh_until = Sooner(walk.deadline, kReadIsFresh);
  maps_.Invalidate();
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const std::unique_ptr<ReadView> view = state_.View();
  ASSIGN_OR_RETURN(auto files, load(*view));
  ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(*view));
  // After all of it was read: nobody else can have created a file meanwhile.
  RETURN_IF_ERROR(ConfirmLeads(walk));
  return Sight{map, std::move(files), state.next_inode(), fresh_until};
}

Result<std::map<ChunkSuspicion, uint64_t>> ChunkCheck::Confirm(Walk& walk, const ChunkRange& range,
                                                               const ChunkComparison& first,
                                                               std::optional<Sight>& sight) {
  std::set<InodeId> inodes;
  std::map<ServerId, v1::ServerRecord> servers;
  for (const auto& [suspicion, bytes] : first.suspicions) {
    inodes.insert(suspicion.id.inode);
    const v1::ServerRecord* record = sight->map->FindServer(suspicion.server);
    if (record != nullptr) servers[suspicion.server] = *record;
  }
  StoredListings again = FetchStored(inspector_, servers, range.after, range.upto,
                                     kMostChunksOfServer, Sooner(walk.deadline, kListTime));
  walk.silent.insert(again.silent.begin(), again.silent.end());
  Trim(range, inodes, again.chunks);
  ASSIGN_OR_RETURN(sight, See(walk, [&](const ReadView& view) { return LoadFiles(view, inodes); }));
  const ChunkComparison second =
      CompareChunks(range, again.chunks, sight->files, *sight->map, ViewsOf(*sight->map));
  std::map<ChunkSuspicion, uint64_t> confirmed;
  for (const auto& [suspicion, bytes] : second.suspicions) {
    if (first.suspicions.contains(suspicion)) confirmed.emplace(suspicion, bytes);
  }
  return confirmed;
}

void ChunkCheck::AddDamaged(const ChunkRange& range, const Sight& sight, Walk& walk) const {
  for (const auto& [server, record] : sight.map->servers) {
    for (const v1::LostChunk& lost : registry_.Counters(server).damaged) {
      const ChunkId id{InodeId(lost.inode()), lost.index()};
      const auto file = sight.files.find(id.inode);
      if (!range.Holds(id) || file == sight.files.end() || file->second.leaving) continue;
      v1::ChunkFinding finding;
      finding.set_inode(id.inode.value);
      finding.set_index(id.index);
      finding.set_group(lost.group());
      finding.set_server(server.value);
      finding.set_code("DAMAGED");
      walk.findings.push_back(std::move(finding));
    }
  }
}

// One chunk per frame, so that each answer says what became of which.
void ChunkCheck::SetAside(const Walk& walk, const Sight& sight,
                          std::vector<v1::ChunkFinding>& findings) {
  std::vector<v1::ChunkFinding*> orphans;
  for (v1::ChunkFinding& finding : findings) {
    // An id that was never reserved means that these rows are older than the chunk.
    const bool was_reserved = finding.inode() < sight.next_inode;
    if (walk.repair && finding.code() == "ORPHAN" && was_reserved) orphans.push_back(&finding);
  }
  for (size_t sent = 0; sent < orphans.size() && !sight.fresh_until.Passed();
       sent += kSentAtOnce) {
    const size_t end = std::min(orphans.size(), sent + kSentAtOnce);
    const auto left = std::make_shared<Countdown>(end - sent);
    for (size_t i = sent; i < end; ++i) {
      v1::ChunkFinding& orphan = *orphans[i];
      v1::SetAsideRequest request;
      v1::StoredChunk& chunk = *request.add_chunks();
      chunk.set_inode(orphan.inode());
      chunk.set_index(orphan.index());
      chunk.set_group(orphan.group());
      const v1::ServerRecord& server = *sight.map->FindServer(ServerId(orphan.server()));
      inspector_.SetAside(server, request, sight.fresh_until,
                          [left, &orphan](const Result<v1::SetAsideResponse>& response) {
                            orphan.set_set_aside(response.has_value() &&
                                                 response->set_aside() == 1);
                            left->Done();
                          });
    }
    left->Wait();
  }
}

Status ChunkCheck::CheckRange(Walk& walk) {
  if (walk.deadline.Passed()) return Status(ErrorCode::kDeadlineExceeded, "the page took too long");
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const std::map<ServerId, v1::ServerRecord> servers = ServersToAsk(*map, walk);
  const auto limit = static_cast<uint32_t>(
      std::clamp<size_t>(kMostChunksListed / std::max<size_t>(1, servers.size()),
                         kFewestChunksOfServer, kMostChunksOfServer));
  StoredListings listed = FetchStored(inspector_, servers, walk.after, walk.after, limit,
                                      Sooner(walk.deadline, kListTime));
  walk.silent.insert(listed.silent.begin(), listed.silent.end());
  ChunkRange range{walk.after, kLastChunk};
  for (const auto& [server, covered] : listed.covered) range.upto = std::min(range.upto, covered);
  range.upto = RoundDown(range.after, range.upto);
  std::optional<Sight> sight;
  ASSIGN_OR_RETURN(sight, See(walk, [&](const ReadView& view) { return LoadFiles(view, range); }));
  ChunkComparison first =
      CompareChunks(range, listed.chunks, sight->files, *sight->map, ViewsOf(*sight->map));
  Limit(range, first);
  Trim(range, {}, listed.chunks);
  for (const auto& [server, chunks] : listed.chunks) walk.chunks_seen += chunks.size();
  AddDamaged(range, *sight, walk);
  walk.after = range.upto;
  walk.cut_short.insert(first.cut_short.begin(), first.cut_short.end());
  if (first.suspicions.empty()) return OkStatus();
  ASSIGN_OR_RETURN(const auto confirmed, Confirm(walk, range, first, sight));
  std::vector<v1::ChunkFinding> findings;
  for (const auto& [suspicion, bytes] : confirmed) findings.push_back(FindingOf(suspicion, bytes));
  SetAside(walk, *sight, findings);
  std::move(findings.begin(), findings.end(), std::back_inserter(walk.findings));
  return OkStatus();
}

Result<v1::CheckChunksResponse> ChunkCheck::Page(const v1::CheckChunksRequest& request,
                                                 Deadline deadline) {
  const Term term = state_.ServingTerm();
  if (term == Term()) return Fail(ErrorCode::kNotLeader, "this metaserver does not lead");
  if (!state_.IsBorn()) return Fail(ErrorCode::kUnavailable, "there is no cluster yet");
  Walk walk{term, request.repair(), deadline, EndOf(InodeId(request.after_inode())), {}, {}, {}, 0};
  do {
    RETURN_IF_ERROR(CheckRange(walk));
    walk.SkipRestOfInode();
  } while (walk.after.index != UINT32_MAX);
  v1::CheckChunksResponse response;
  response.set_next_inode(walk.after.inode.value);
  response.set_end(walk.after == kLastChunk);
  response.set_chunks_seen(walk.chunks_seen);
  for (const ServerId server : walk.silent) response.add_silent_servers(server.value);
  std::sort(walk.findings.begin(), walk.findings.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.inode(), a.index(), a.server(), a.code()) <
           std::tuple(b.inode(), b.index(), b.server(), b.code());
  });
  AddPaths(*state_.View(), walk.cut_short, walk.findings);
  for (v1::ChunkFinding& finding : walk.findings) *response.add_findings() = std::move(finding);
  return response;
}

}  // namespace cairn
