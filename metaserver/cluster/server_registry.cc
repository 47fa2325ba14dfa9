#include "metaserver/cluster/server_registry.h"

#include <algorithm>

#include "common/logging.h"

namespace cairn {
namespace {

constexpr int kMaxDamagedListed = 1000;

}  // namespace

ServerRegistry::ServerRegistry(const Clock& clock)
    : clock_(clock), patient_since_(clock.Now()), last_look_(patient_since_) {}

void ServerRegistry::Restart() {
  absl::MutexLock lock(&mu_);
  entries_.clear();
  patient_since_ = last_look_ = clock_.Now();
}

void ServerRegistry::NoteLook() {
  absl::MutexLock lock(&mu_);
  const BootTime now = clock_.Now();
  if (now - last_look_ > kAliveWithin) {
    LOG_WARN("this process did not run for a while, silence of chunkservers counts anew ms={}",
             std::chrono::duration_cast<std::chrono::milliseconds>(now - last_look_).count());
    patient_since_ = now;
  }
  last_look_ = now;
}

const ServerRegistry::Entry* ServerRegistry::Find(ServerId server) const {
  const auto found = entries_.find(server);
  return found == entries_.end() ? nullptr : &found->second;
}

Status ServerRegistry::CheckWelcomeLocked(ServerId server, Incarnation incarnation) const {
  const Entry* entry = Find(server);
  if (entry == nullptr || !entry->shunned || entry->incarnation < incarnation) return OkStatus();
  return Status::Error(ErrorCode::kUnavailable, "server {} is shunned until its lease has run out",
                       server);
}

Status ServerRegistry::CheckWelcome(ServerId server, Incarnation incarnation) const {
  absl::ReaderMutexLock lock(&mu_);
  return CheckWelcomeLocked(server, incarnation);
}

void ServerRegistry::NoteJoin(const v1::ServerRecord& record) {
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[ServerId(record.id())];
  const Incarnation incarnation(record.incarnation());
  if (incarnation < entry.incarnation) return;  // overtaken by a later start
  if (entry.incarnation < incarnation) {
    entry.shunned = false;
    entry.fences_finished = 0;
    entry.counters.checksum_errors = 0;
    entry.counters.adopted_blocks = 0;
    entry.counters.damaged.clear();
    entry.counters.usage.clear();
    entry.counters.copies.clear();
    entry.counters.scrub.Clear();
  }
  entry.incarnation = incarnation;
  if (entry.shunned) return;
  entry.heard = clock_.Now();
  entry.skips_grace = false;
}

Status ServerRegistry::NoteHeartbeat(const v1::HeartbeatRequest& request,
                                     const v1::ServerRecord& record) {
  if (request.incarnation() < record.incarnation()) {
    return Status::Error(ErrorCode::kStaleRequest,
                         "server {} was started again since: this is start {}, the latest is {}",
                         record.id(), request.incarnation(), record.incarnation());
  }
  if (request.incarnation() > record.incarnation()) {
    return Status::Error(ErrorCode::kNotFound, "start {} of server {} has not joined",
                         request.incarnation(), record.id());
  }
  absl::MutexLock lock(&mu_);
  const ServerId server(record.id());
  RETURN_IF_ERROR(CheckWelcomeLocked(server, Incarnation(request.incarnation())));
  Entry& entry = entries_[server];
  if (Incarnation(request.incarnation()) < entry.incarnation) {
    return Status::Error(ErrorCode::kStaleRequest, "server {} was started again since", server);
  }
  entry.heard = clock_.Now();
  entry.incarnation = Incarnation(request.incarnation());
  entry.skips_grace = false;
  entry.fences_finished = request.fences_finished();
  const int damaged = std::min(request.damaged_size(), kMaxDamagedListed);
  entry.counters = {true,
                    request.total_bytes(),
                    request.available_bytes(),
                    request.checksum_errors(),
                    request.adopted_blocks(),
                    {request.damaged().begin(), request.damaged().begin() + damaged},
                    {request.usage().begin(), request.usage().end()},
                    {request.copies().begin(), request.copies().end()},
                    request.scrub()};
  return OkStatus();
}

void ServerRegistry::Shun(ServerId server, const std::string& reason) {
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[server];
  if (entry.shunned) return;
  entry.shunned = true;
  LOG_WARN("chunkserver shunned until its lease has run out server={} reason=\"{}\"", server,
           reason);
}

void ServerRegistry::SkipGrace(ServerId server) {
  absl::MutexLock lock(&mu_);
  entries_[server].skips_grace = true;
}

bool ServerRegistry::SkipsGrace(ServerId server) const {
  absl::ReaderMutexLock lock(&mu_);
  const Entry* entry = Find(server);
  return entry != nullptr && entry->skips_grace;
}

bool ServerRegistry::Condemn(const v1::ServerRecord& record) {
  absl::MutexLock lock(&mu_);
  return CondemnLocked(record);
}

bool ServerRegistry::CondemnForRemoval(const v1::ServerRecord& record) {
  absl::MutexLock lock(&mu_);
  if (!CondemnLocked(record)) return false;
  entries_[ServerId(record.id())].being_removed = true;
  return true;
}

void ServerRegistry::Pardon(ServerId server) {
  absl::MutexLock lock(&mu_);
  entries_[server].being_removed = false;
}

bool ServerRegistry::CondemnLocked(const v1::ServerRecord& record) {
  if (ViewLocked(record).presence != ServerView::Presence::kGone) return false;
  Entry& entry = entries_[ServerId(record.id())];
  entry.incarnation = std::max(entry.incarnation, Incarnation(record.incarnation()));
  entry.shunned = true;
  return true;
}

bool ServerRegistry::IsShunned(ServerId server) const {
  absl::ReaderMutexLock lock(&mu_);
  const Entry* entry = Find(server);
  return entry != nullptr && entry->shunned;
}

void ServerRegistry::ReleaseShunned(ServerId server) {
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[server];
  if (!entry.being_removed) entry.shunned = false;
}

Duration ServerRegistry::SilenceOf(const Entry* entry) const {
  const bool heard = entry != nullptr && entry->heard.has_value();
  const BootTime since = heard ? std::max(*entry->heard, patient_since_) : patient_since_;
  return clock_.Now() - since;
}

Duration ServerRegistry::Silence(ServerId server) const {
  absl::ReaderMutexLock lock(&mu_);
  return SilenceOf(Find(server));
}

ServerView ServerRegistry::View(const v1::ServerRecord& record) const {
  absl::ReaderMutexLock lock(&mu_);
  return ViewLocked(record);
}

ServerView ServerRegistry::ViewLocked(const v1::ServerRecord& record) const {
  using Presence = ServerView::Presence;
  const Entry* entry = Find(ServerId(record.id()));
  const Duration silence = SilenceOf(entry);
  const Duration watched = clock_.Now() - patient_since_;
  const bool patient = watched <= timing::kChunkLease + timing::kMemberRemoved;
  ServerView view{Presence::kQuiet, Incarnation(record.incarnation()), record.boot_id()};
  if (entry != nullptr && entry->heard && clock_.Now() - *entry->heard <= kAliveWithin) {
    view.presence = Presence::kAlive;
  } else if (!patient && silence > timing::kMemberRemoved) {
    view.presence = Presence::kGone;
  }
  return view;
}

ServerCounters ServerRegistry::Counters(ServerId server) const {
  absl::ReaderMutexLock lock(&mu_);
  const Entry* entry = Find(server);
  return entry == nullptr ? ServerCounters() : entry->counters;
}

uint64_t ServerRegistry::FencesFinished(const v1::ServerRecord& record) const {
  absl::ReaderMutexLock lock(&mu_);
  const Entry* entry = Find(ServerId(record.id()));
  if (entry == nullptr || entry->incarnation != Incarnation(record.incarnation())) return 0;
  return entry->fences_finished;
}

}  // namespace cairn
