#include "chunkserver/service/token_gate.h"

#include <utility>

#include "rpc/chunk_token.h"

namespace cairn {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

Status Refused(const char* why) {
  return Status::Error(ErrorCode::kTokenRefused, "{}", why);
}

}  // namespace

void TokenGate::Hear(const v1::HeartbeatResponse& answer) {
  if (answer.has_time()) {
    const int64_t told =
        answer.time().seconds() * kNanosecondsPerSecond + answer.time().nanoseconds();
    time_offset_ = told - clock_.Now().since_boot.count();
  }
  if (answer.token_keys().empty()) return;
  absl::MutexLock lock(&keys_mu_);
  keys_.clear();
  for (const v1::TokenKey& key : answer.token_keys()) keys_[key.id()] = key.secret();
}

uint32_t TokenGate::key_known() const {
  absl::ReaderMutexLock lock(&keys_mu_);
  return keys_.empty() ? 0 : keys_.rbegin()->first;
}

TokenGate::Shard& TokenGate::ShardOf(std::string_view token) {
  // The low bits place it inside the shard.
  return shards_[(BytesHash()(token) >> 32) % kShards];
}

std::optional<TokenGate::Checked> TokenGate::Find(std::string_view token) {
  Shard& shard = ShardOf(token);
  absl::ReaderMutexLock lock(&shard.mu);
  const auto found = shard.checked.find(token);
  if (found == shard.checked.end()) return std::nullopt;
  return found->second;
}

Result<std::string> TokenGate::SecretOf(uint32_t key) {
  const BootTime now = clock_.Now();
  bool asks = false;
  {
    absl::MutexLock lock(&keys_mu_);
    if (const auto found = keys_.find(key); found != keys_.end()) return found->second;
    if (!keys_.empty() && key < keys_.rbegin()->first) {
      return Fail(Refused("the token's key is not used any more"));
    }
    asks = !asked_for_key_ || now - *asked_for_key_ >= kAskForKeyEvery;
    if (asks) asked_for_key_ = now;
  }
  if (asks) table_.WantRefresh();
  return Fail(ErrorCode::kUnavailable, "key {} of a token is not known here yet", key);
}

Result<TokenGate::Checked> TokenGate::Check(std::string_view token) {
  const std::optional<UncheckedToken> sealed = UncheckedToken::Parse(token);
  if (!sealed.has_value()) return Fail(Refused("there is no token"));
  const v1::TokenClaims& claims = sealed->claims();
  ASSIGN_OR_RETURN(const std::string secret, SecretOf(claims.key()));
  ++seals_checked_;
  if (!sealed->IsSealedWith(secret)) return Fail(Refused("the token was not made by the cluster"));
  Checked checked{SessionId(claims.session()),
                  claims.inode(),
                  claims.rights(),
                  claims.expires(),
                  claims.generation(),
                  fences_.UseOf(SessionId(claims.session()))};
  Shard& shard = ShardOf(token);
  absl::MutexLock lock(&shard.mu);
  // To check a seal again costs a microsecond: not worth a list of ages.
  if (shard.checked.size() >= kRememberedPerShard) shard.checked.clear();
  shard.checked.insert_or_assign(std::string(token), checked);
  return checked;
}

Status TokenGate::CheckUse(const Checked& checked, const v1::ChunkAddress& chunk,
                           uint32_t rights) const {
  if (checked.session.value != chunk.session()) {
    return Refused("the token is of another session");
  }
  if (checked.inode != chunk.inode()) return Refused("the token is for another file");
  if ((checked.rights & rights) == 0) return Refused("the token lacks the right");
  // The chunk takes it for its stamp: a made-up one would shut everybody else out.
  if (rights == kTokenWrite && chunk.generation() > checked.generation) {
    return Refused("the token is of an earlier generation of the file");
  }
  const int64_t now = clock_.Now().since_boot.count() + time_offset_.load();
  if (now / kNanosecondsPerSecond >= checked.expires) return Refused("the token has run out");
  return OkStatus();
}

Result<SessionTicket> TokenGate::Admit(const v1::ChunkAddress& chunk, std::string_view token,
                                       uint32_t rights) {
  std::optional<Checked> checked = Find(token);
  if (!checked.has_value()) {
    ASSIGN_OR_RETURN(checked, Check(token));
  }
  RETURN_IF_ERROR(CheckUse(*checked, chunk, rights));
  if (!checked->use->Enter()) {
    return Fail(ErrorCode::kFenced, "session {} is shut out", checked->session);
  }
  return SessionTicket(std::move(checked->use));
}

}  // namespace cairn
