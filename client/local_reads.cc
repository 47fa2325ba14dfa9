#include "client/local_reads.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "common/logging.h"

namespace cairn::client {
namespace {

// The mount has other uses for descriptors.
size_t GrantBudget(size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 16;
  return std::min<size_t>(wanted, static_cast<size_t>(limit.rlim_cur / 4));
}

ChunkId IdOf(const v1::ChunkAddress& chunk) {
  return {InodeId(chunk.inode()), chunk.index()};
}

bool IsDoorBroken(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kCorruption;
}

}  // namespace

LocalReads::LocalReads(bool enabled, const Clock& clock, size_t most_grants)
    : enabled_(enabled), clock_(clock), most_(GrantBudget(most_grants)) {}

LocalReads::Plan LocalReads::PlanRead(const Route& route, const v1::ChunkAddress& chunk,
                                      uint32_t length) {
  const ChunkId id = IdOf(chunk);
  absl::MutexLock lock(&mu_);
  if (session_ != SessionId(chunk.session())) Clear();
  session_ = SessionId(chunk.session());
  const bool is_new = !chunks_.contains(id);
  Known* const known = Use(id);
  if (known == nullptr) return {};
  if (known->grant != nullptr && known->grant->Fits(chunk)) {
    return MustShow(route.primary) ? Plan() : Plan{known->grant, nullptr};
  }
  known->grant.reset();
  LocalDoorPtr door = DoorOf(route);
  if (door == nullptr || !IsWorthAsking(*known, is_new, length, *door, id)) return {};
  return {nullptr, std::move(door)};
}

std::optional<Payload> LocalReads::Read(const Route& route, const v1::ChunkAddress& chunk,
                                        uint32_t offset, uint32_t length) {
  if (!enabled_ || route.address.unix_path.empty()) return std::nullopt;
  Plan plan = PlanRead(route, chunk, length);
  if (plan.ask != nullptr) plan.grant = Ask(route, plan.ask, chunk);
  if (plan.grant == nullptr) return std::nullopt;
  return ReadWith(route, plan.grant, IdOf(chunk), offset, length);
}

bool LocalReads::WillRead(const Route& route, ChunkId id) {
  if (!enabled_ || route.address.unix_path.empty()) return false;
  absl::MutexLock lock(&mu_);
  if (DoorOf(route) == nullptr) return false;
  const auto known = chunks_.find(id);
  if (known == chunks_.end()) return chunks_.size() < most_ || MakesRoom();
  return known->second.grant != nullptr || !known->second.seen_change;
}

void LocalReads::EndSession(SessionId session) {
  absl::MutexLock lock(&mu_);
  if (session_ == session) Clear();
}

void LocalReads::Clear() {
  chunks_.clear();
  by_use_.clear();
  servers_.clear();
}

// The one that was used least recently goes for another.
bool LocalReads::MakesRoom() const {
  return !by_use_.empty() && clock_.Now() >= chunks_.at(by_use_.back()).used + kKept;
}

LocalReads::Known* LocalReads::Use(ChunkId id) {
  const BootTime now = clock_.Now();
  const auto found = chunks_.find(id);
  if (found != chunks_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second.by_use);
    found->second.used = now;
    return &found->second;
  }
  if (by_use_.size() >= most_) {
    if (!MakesRoom()) return nullptr;
    chunks_.erase(by_use_.back());
    by_use_.pop_back();
  }
  by_use_.push_front(id);
  Known& known = chunks_[id];
  known.used = now;
  known.by_use = by_use_.begin();
  return &known;
}

void LocalReads::DropStale() {
  absl::MutexLock lock(&mu_);
  for (auto& [id, server] : servers_) {
    if (server.door != nullptr && !server.door->IsOpen()) CloseDoor(server);
  }
  for (auto& [id, known] : chunks_) {
    if (known.grant == nullptr || known.grant->IsCurrent()) continue;
    known.seen_change = known.grant->door().page()->ChunkChange(id);
    known.grant.reset();
  }
}

bool LocalReads::MustShow(ServerId server) {
  BootTime& show_after = servers_[server].show_after;
  const BootTime now = clock_.Now();
  if (now < show_after) return false;
  show_after = now + kShowEvery;
  return true;
}

// A connect to a UNIX socket is done or refused at once.
LocalDoorPtr LocalReads::DoorOf(const Route& route) {
  Server& server = servers_[route.primary];
  if (server.socket != route.address.unix_path) server = {route.address.unix_path, nullptr, {}, {}};
  if (server.door != nullptr || clock_.Now() < server.connect_after) return server.door;
  Result<LocalDoorPtr> door = LocalDoor::Connect(server.socket, route.primary);
  if (door.has_value()) {
    server.door = *std::move(door);
  } else {
    LOG_DEBUG("no local reads server={} cause=\"{}\"", route.primary, door.error());
    server.connect_after = clock_.Now() + kConnectAgain;
  }
  return server.door;
}

bool LocalReads::IsWorthAsking(Known& known, bool is_new, uint32_t length, const LocalDoor& door,
                               ChunkId id) {
  if (clock_.Now() < known.ask_after) return false;
  if (is_new && length < kWorthAsking) return false;
  if (!known.seen_change || door.page() == nullptr) return true;
  const std::optional<uint64_t> change = door.page()->QuietChange(id);
  const bool rests = change == known.seen_change;
  if (change) known.seen_change = change;
  return rests;
}

LocalGrantPtr LocalReads::Ask(const Route& route, const LocalDoorPtr& door,
                              const v1::ChunkAddress& chunk) {
  ++asked_;
  Result<LocalDoor::Opened> opened = door->Ask(chunk);
  Result<LocalGrantPtr> grant =
      opened.has_value() ? LocalGrant::Make(door, chunk, *std::move(opened)) : Fail(opened.error());
  if (grant.has_value()) {
    absl::MutexLock lock(&mu_);
    if (session_ != SessionId(chunk.session())) return nullptr;
    if (Known* const known = Use(IdOf(chunk)); known != nullptr) {
      known->grant = *grant;
      known->seen_change.reset();
      servers_[route.primary].show_after = clock_.Now() + kShowEvery;
    }
    return *grant;
  }
  if (grant.error().code() == ErrorCode::kCancelled) return nullptr;
  LOG_DEBUG("no local read chunk={} cause=\"{}\"", IdOf(chunk), grant.error());
  if (IsDoorBroken(grant.error().code())) {
    ForgetDoor(route, *door);
  } else {
    Refused(*door, IdOf(chunk));
  }
  return nullptr;
}

std::optional<Payload> LocalReads::ReadWith(const Route& route, const LocalGrantPtr& grant,
                                            ChunkId id, uint32_t offset, uint32_t length) {
  LocalGrant::Read read = grant->ReadBlocks(clock_, offset, length);
  if (read.outcome == LocalGrant::Outcome::kBelieved) {
    ++reads_;
    return std::move(read.bytes);
  }
  if (read.outcome == LocalGrant::Outcome::kDamaged) ++damaged_;
  if (read.outcome == LocalGrant::Outcome::kEnded && !grant->door().IsOpen()) {
    ForgetDoor(route, grant->door());
    return std::nullopt;
  }
  // Without a lease the grant may be good again with the next one.
  if (read.outcome == LocalGrant::Outcome::kEnded) return std::nullopt;
  absl::MutexLock lock(&mu_);
  const auto known = chunks_.find(id);
  if (known == chunks_.end() || known->second.grant != grant) return std::nullopt;
  known->second.grant.reset();
  known->second.seen_change = grant->door().page()->ChunkChange(id);
  if (read.outcome == LocalGrant::Outcome::kDamaged) {
    known->second.ask_after = clock_.Now() + kAskAgain;
  }
  return std::nullopt;
}

void LocalReads::Refused(const LocalDoor& door, ChunkId id) {
  absl::MutexLock lock(&mu_);
  Known* const known = Use(id);
  if (known == nullptr) return;
  known->ask_after = clock_.Now() + kAskAgain;
  known->seen_change = door.page() == nullptr ? 0 : door.page()->ChunkChange(id);
}

void LocalReads::ForgetDoor(const Route& route, const LocalDoor& door) {
  absl::MutexLock lock(&mu_);
  const auto server = servers_.find(route.primary);
  if (server != servers_.end() && server->second.door.get() == &door) CloseDoor(server->second);
}

void LocalReads::CloseDoor(Server& server) {
  for (auto& [id, known] : chunks_) {
    if (known.grant != nullptr && &known.grant->door() == server.door.get()) known.grant.reset();
  }
  server.door.reset();
  server.connect_after = clock_.Now() + kConnectAgain;
}

}  // namespace cairn::client
