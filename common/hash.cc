#include "common/hash.h"

#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "common/status.h"

namespace cairn {

namespace {
void FillRandom(void* out, size_t size_bytes) {
  auto* next = static_cast<unsigned char*>(out);
  while (size_bytes > 0) {
    ssize_t got = getrandom(next, size_bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    CAIRN_CHECK(got > 0);
    next += got;
    size_bytes -= static_cast<size_t>(got);
  }
}
}  // namespace

uint64_t NameHash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, then mixed: FNV alone is weak in its high bits
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  hash = MixBits(hash) >> 1;
  return hash < 3 ? hash + 3 : hash;
}

std::string RandomHex(size_t bytes) {
  std::vector<unsigned char> random(bytes);
  FillRandom(random.data(), random.size());
  std::string hex;
  hex.reserve(2 * bytes);
  for (unsigned char byte : random) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

uint64_t RandomBits() {
  uint64_t bits = 0;
  FillRandom(&bits, sizeof(bits));
  return bits;
}

}  // namespace cairn
