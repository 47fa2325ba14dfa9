#include "rpc/chunk_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/status.h"

namespace cairn {
namespace {

constexpr size_t kMacBytes = 32;  // HMAC-SHA256

std::string MacOf(std::string_view claims, std::string_view secret) {
  std::string mac(kMacBytes, '\0');
  unsigned int length = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(claims.data()), claims.size(),
           reinterpret_cast<unsigned char*>(mac.data()), &length);
  CAIRN_CHECK(made != nullptr && length == kMacBytes);
  return mac;
}

}  // namespace

std::string SealToken(const v1::TokenClaims& claims, std::string_view secret) {
  v1::ChunkToken token;
  token.set_claims(claims.SerializeAsString());
  token.set_mac(MacOf(token.claims(), secret));
  return token.SerializeAsString();
}

std::optional<UncheckedToken> UncheckedToken::Parse(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return std::nullopt;
  UncheckedToken parsed;
  if (!parsed.sealed_.ParseFromArray(token.data(), static_cast<int>(token.size()))) {
    return std::nullopt;
  }
  // One token has one encoding, or a server could be made to remember it under many.
  parsed.sealed_.DiscardUnknownFields();
  if (parsed.sealed_.SerializeAsString() != token) return std::nullopt;
  if (parsed.sealed_.mac().size() != kMacBytes) return std::nullopt;
  if (!parsed.claims_.ParseFromString(parsed.sealed_.claims())) return std::nullopt;
  return parsed;
}

bool UncheckedToken::IsSealedWith(std::string_view secret) const {
  const std::string mac = MacOf(sealed_.claims(), secret);
  return CRYPTO_memcmp(mac.data(), sealed_.mac().data(), kMacBytes) == 0;
}

}  // namespace cairn
