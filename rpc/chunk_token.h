// Tokens: what lets one session use the bytes of one file. A metaserver seals the claims with a key
// that it shares with the chunkservers; to everybody else a token is opaque. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"

namespace cairn {

// Rights inside TokenClaims.
inline constexpr uint32_t kTokenRead = 1;
inline constexpr uint32_t kTokenWrite = 2;

inline constexpr size_t kTokenKeyBytes = 32;   // of a key's secret
inline constexpr size_t kMaxTokenBytes = 256;  // a longer one is refused unread
inline constexpr Duration kTokenLife = std::chrono::hours(1);
inline constexpr Duration kTokenKeyLife = std::chrono::hours(1);  // then the next one is made
// Every token of a fenced session was made before its fence: after this long none is left, even if
// the metaservers' clocks are an hour apart.
inline constexpr Duration kFenceKept = std::chrono::hours(2);
// In one heartbeat's answer. One with so many may be cut short: the rest comes with the next.
inline constexpr int kMostFencesAtOnce = 10000;

// A serialized v1::ChunkToken.
std::string SealToken(const v1::TokenClaims& claims, std::string_view secret);

// A token from outside: what it claims, which nobody has to believe before its seal was checked.
class UncheckedToken {
 public:
  // nullopt: these bytes are no token.
  static std::optional<UncheckedToken> Parse(std::string_view token);

  const v1::TokenClaims& claims() const { return claims_; }
  // Takes the same time whether it is true or not.
  bool IsSealedWith(std::string_view secret) const;

 private:
  v1::ChunkToken sealed_;
  v1::TokenClaims claims_;
};

}  // namespace cairn
