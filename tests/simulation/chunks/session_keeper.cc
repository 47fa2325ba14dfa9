#include "tests/simulation/chunks/session_keeper.h"

#include <algorithm>
#include <utility>

#include "metaserver/cluster/fence_watch.h"
#include "rpc/chunk_token.h"
#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {
constexpr Time kSessionLook = 100ms;
constexpr Time kTryAgain = 500ms;  // a leader that went took the command with it
constexpr Time kKeyLife = 12s;     // an hour in earnest; as RotateTokenKey, three are kept
constexpr Time kNotYet = Time::max();
constexpr size_t kKeysKept = 3;
constexpr int64_t kTokenSeconds = 25;
}  // namespace

SessionKeeper::SessionKeeper(ChunkWorld& world, const Clock& clock, const ServerRegistry& registry,
                             const Servers& servers, Committer commit)
    : world_(world),
      clock_(clock),
      registry_(registry),
      servers_(servers),
      commit_(std::move(commit)),
      random_(world.plan.seed, 0x5e55) {}

void SessionKeeper::Start() {
  RotateKey();
  RotateLater();
  world_.scheduler.After(kSessionLook, [this] { Look(); });
}

void SessionKeeper::RotateKey() {
  v1::TokenKey key;
  key.set_id(admission_.keys.empty() ? 1 : admission_.keys.back().id() + 1);
  for (size_t at = 0; at < kTokenKeyBytes; ++at) {
    key.mutable_secret()->push_back(static_cast<char>(random_.Below(256)));
  }
  key.mutable_made()->set_seconds(clock_.WallNow().seconds);
  admission_.keys.push_back(std::move(key));
  if (admission_.keys.size() > kKeysKept) admission_.keys.erase(admission_.keys.begin());
}

void SessionKeeper::RotateLater() {
  world_.scheduler.After(random_.Around(kKeyLife), [this] {
    commit_([this] { RotateKey(); });
    RotateLater();
  });
}

std::string SessionKeeper::Seal(SessionId session, InodeId inode, uint64_t generation) const {
  if (fences_.contains(session)) return {};
  const WallTime now = clock_.WallNow();
  const v1::TokenKey* key = admission_.SealingKey(now);
  v1::TokenClaims claims;
  claims.set_session(session.value);
  claims.set_inode(inode.value);
  claims.set_rights(kTokenRead | kTokenWrite);
  claims.set_generation(generation);
  claims.set_key(key->id());
  claims.set_expires(now.seconds + kTokenSeconds);
  return SealToken(claims, key->secret());
}

void SessionKeeper::Tell(const v1::HeartbeatRequest& request,
                         v1::HeartbeatResponse& response) const {
  admission_.Tell(request, response);
  const WallTime now = clock_.WallNow();
  response.mutable_time()->set_seconds(now.seconds);
  response.mutable_time()->set_nanoseconds(now.nanoseconds);
}

Time SessionKeeper::PassedAt(SessionId session) const {
  const auto found = passed_at_.find(session);
  return found == passed_at_.end() ? kNotYet : found->second;
}

bool SessionKeeper::IsPast(SessionId session) const {
  const auto found = fences_.find(session);
  return found != fences_.end() && HasPassed(found->second);
}

// As CloseSession.
void SessionKeeper::Fence(SessionId session) {
  ending_.erase(session);
  if (!fences_.try_emplace(session, admission_.last_fence + 1).second) return;
  v1::Fence fence;
  fence.set_sequence(++admission_.last_fence);
  fence.set_session(session.value);
  fence.mutable_time()->set_seconds(clock_.WallNow().seconds);
  admission_.fences.push_back(std::move(fence));
  world_.trace.Add(6, session.value);
  world_.trace.Line([&] { return fmt::format("session {} is shut out", session); });
  fenced_(session);
}

bool SessionKeeper::HasPassed(uint64_t fence) const {
  MapSnapshot map;
  map.servers = servers_;
  if (ChunkBugIs(ChunkBug::kFencePassesEarly)) {
    // A bug: who is silent for a second is not waited for, whatever leases it has.
    std::erase_if(map.servers, [this](const auto& entry) {
      return registry_.View(entry.second).presence == ServerView::Presence::kQuiet;
    });
  }
  return PassedFences(map, registry_) >= fence;
}

void SessionKeeper::Look() {
  world_.scheduler.After(random_.Around(kSessionLook), [this] { Look(); });
  for (auto& [session, tried] : ending_) {
    if (tried != Time(0) && world_.now() < tried + kTryAgain) continue;
    tried = world_.now();
    commit_([this, ended = session] { Fence(ended); });
  }
  std::vector<SessionId> passed;
  for (const auto& [session, fence] : fences_) {
    if (!passed_at_.contains(session) && HasPassed(fence)) passed.push_back(session);
  }
  for (const SessionId session : passed) {
    passed_at_[session] = world_.now();
    world_.trace.Add(7, session.value);
    world_.trace.Line([&] { return fmt::format("what session {} held passes on", session); });
    passed_(session);
  }
}

}  // namespace cairn::simulation::chunks
