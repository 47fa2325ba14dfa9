// What the metaserver of a simulated cluster knows of sessions: the keys of tokens, who is shut
// out, and when what a session held may pass on. What it tells chunkservers and when a fence has
// passed is real (metaserver/sessions/admission, cluster/fence_watch, rpc/chunk_token).
#pragma once

#include <functional>
#include <map>
#include <string>

#include "cairn/v1/cluster.pb.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/sessions/admission.h"
#include "tests/simulation/chunks/chunk_world.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class SessionKeeper {
 public:
  using Servers = std::map<ServerId, v1::ServerRecord>;
  // Commits something after a while, or never.
  using Committer = std::function<void(std::function<void()>)>;
  SessionKeeper(ChunkWorld& world, const Clock& clock, const ServerRegistry& registry,
                const Servers& servers, Committer commit);
  void Start();
  // Hears of each session once when it is shut out, and once when its fence has passed.
  void OnEnd(std::function<void(SessionId)> fenced, std::function<void(SessionId)> passed) {
    fenced_ = std::move(fenced);
    passed_ = std::move(passed);
  }

  SessionId Open() { return SessionId(++last_session_); }
  // A token for reading and writing the file in this generation; empty: the session is shut out.
  std::string Seal(SessionId session, InodeId inode, uint64_t generation) const;
  // It fell silent, or has been told to go: shut out as soon as that is committed.
  void End(SessionId session) { ending_.try_emplace(session); }

  // What goes into a heartbeat's answer beside the map.
  void Tell(const v1::HeartbeatRequest& request, v1::HeartbeatResponse& response) const;
  bool IsShutOut(SessionId session) const { return fences_.contains(session); }
  // When what it held passed on; kNever: not yet.
  Time PassedAt(SessionId session) const;
  // Asked at this moment. It may hold no more when a server that was silent is heard again: for a
  // group that is quiet (MapKeeper::IsQuiet) it does.
  bool IsPast(SessionId session) const;
  // Of all who were shut out up to now (as Reaper::RunOnce asks).
  bool AllPassed() const { return HasPassed(admission_.last_fence); }

 private:
  void Look();
  void RotateKey();
  void RotateLater();
  void Fence(SessionId session);
  bool HasPassed(uint64_t fence) const;

  ChunkWorld& world_;
  const Clock& clock_;
  const ServerRegistry& registry_;
  const Servers& servers_;
  const Committer commit_;
  Random random_;
  std::function<void(SessionId)> fenced_ = [](SessionId) {};
  std::function<void(SessionId)> passed_ = [](SessionId) {};
  uint64_t last_session_ = 100;  // founding clients are numbered by hand
  Admission admission_;
  std::map<SessionId, Time> ending_;      // not committed yet; when it was last tried
  std::map<SessionId, uint64_t> fences_;  // committed
  std::map<SessionId, Time> passed_at_;
};

}  // namespace cairn::simulation::chunks
