// Makes tokens for chunkservers (rpc/chunk_token.h), and the keys they are sealed with.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/ids.h"
#include "metaserver/replicated_state.h"
#include "metaserver/sessions/admission.h"

namespace cairn {

// What open(2) with these flags may do with the bytes of a file, as rights of a token.
uint32_t TokenRights(uint32_t open_flags);

// Thread-safe.
class TokenIssuer {
 public:
  TokenIssuer(ReplicatedState& state, AdmissionCache& admission, const Clock& clock)
      : state_(state), admission_(admission), clock_(clock) {}

  // `generation`: of the file as it is now. Empty: there is no key yet, or no session.
  std::string Issue(SessionId session, InodeId inode, uint32_t rights, uint64_t generation);
  // What a token says that was made here for `session`; nullopt: it was not, or its key is gone.
  // Tokens that have run out count too.
  std::optional<v1::TokenClaims> ClaimsOf(std::string_view token, SessionId session);

  // Has a new key made when the latest is an hour old, or there is none. For the leader, now and
  // then.
  void RotateIfDue();

 private:
  std::string Seal(v1::TokenClaims claims);

  ReplicatedState& state_;
  AdmissionCache& admission_;
  const Clock& clock_;
  std::atomic<bool> rotating_{false};
};

}  // namespace cairn
