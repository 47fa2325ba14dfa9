// Small fixed hashes. Values reach disk and wire: never change them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cairn {

// SplitMix64's finalizer: a bijection that spreads neighbouring values.
constexpr uint64_t MixBits(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// 63-bit hash of a directory entry's name: the entry's place in a directory and its readdir cookie.
// Never 0, 1 or 2, which readdir keeps for the start, "." and "..".
uint64_t NameHash(std::string_view name);

// `bytes` random bytes from the operating system, as lower-case hex.
std::string RandomHex(size_t bytes);
uint64_t RandomBits();

}  // namespace cairn
