#include "metaserver/service/token_issuer.h"

#include <fcntl.h>
#include <openssl/rand.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "common/logging.h"
#include "rpc/chunk_token.h"

namespace cairn {
namespace {

constexpr int64_t Seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

uint32_t TokenRights(uint32_t open_flags) {
  switch (open_flags & O_ACCMODE) {
    case O_RDONLY:
      return kTokenRead;
    case O_WRONLY:
      return kTokenWrite;
    default:
      return kTokenRead | kTokenWrite;
  }
}

std::string TokenIssuer::Seal(v1::TokenClaims claims) {
  const auto admission = admission_.Get();
  const WallTime now = clock_.WallNow();
  const v1::TokenKey* key = admission ? (*admission)->SealingKey(now) : nullptr;
  if (key == nullptr) return {};
  claims.set_key(key->id());
  claims.set_expires(now.seconds + Seconds(kTokenLife));
  return SealToken(claims, key->secret());
}

std::string TokenIssuer::Issue(SessionId session, InodeId inode, uint32_t rights,
                               uint64_t generation) {
  if (session.value == 0) return {};
  v1::TokenClaims claims;
  claims.set_session(session.value);
  claims.set_inode(inode.value);
  claims.set_rights(rights);
  claims.set_generation(generation);
  return Seal(std::move(claims));
}

std::optional<v1::TokenClaims> TokenIssuer::ClaimsOf(std::string_view token, SessionId session) {
  const std::optional<UncheckedToken> sealed = UncheckedToken::Parse(token);
  const auto admission = admission_.Get();
  if (!sealed || !admission || SessionId(sealed->claims().session()) != session) {
    return std::nullopt;
  }
  const v1::TokenKey* key = (*admission)->FindKey(sealed->claims().key());
  if (key == nullptr || !sealed->IsSealedWith(key->secret())) return std::nullopt;
  return sealed->claims();
}

void TokenIssuer::RotateIfDue() {
  if (!state_.Serves() || !state_.IsBorn()) return;
  const auto admission = admission_.Get();
  if (!admission) return;
  uint32_t last = 0;
  if (const auto& keys = (*admission)->keys; !keys.empty()) {
    // A key that another leader's clock made in the future does not stay for ever.
    const int64_t age = clock_.WallNow().seconds - keys.back().made().seconds();
    if (std::abs(age) < Seconds(kTokenKeyLife)) return;
    last = keys.back().id();
  }
  std::string secret(kTokenKeyBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()),
                 static_cast<int>(secret.size())) != 1) {
    return LOG_ERROR("no random bytes for a token key");
  }
  if (rotating_.exchange(true)) return;
  v1::Command command;
  command.mutable_rotate_token_key()->set_id(last + 1);
  command.mutable_rotate_token_key()->set_secret(std::move(secret));
  state_.Propose(std::move(command), [this, id = last + 1](const Result<v1::Outcome>& outcome) {
    rotating_ = false;
    if (outcome && outcome->code() == 0) LOG_INFO("token key made key={}", id);
  });
}

}  // namespace cairn
