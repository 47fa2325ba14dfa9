#include "metaserver/store/state_hash.h"

#include <cstring>

#include "common/hash.h"
#include "metaserver/store/schema.h"

namespace cairn {

namespace {

uint64_t AddBytes(uint64_t hash, std::string_view bytes) {
  hash = MixBits(hash ^ bytes.size());
  for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    hash = MixBits(hash ^ word);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return MixBits(hash ^ rest);
}

}  // namespace

uint64_t RowHash(std::string_view key, std::string_view value) {
  return AddBytes(AddBytes(0, key), value);
}

Result<uint64_t> HashAfter(uint64_t hash, const ReadView& before, const RowChanges& changes) {
  const std::string state_key = schema::StateKey();
  for (const auto& [key, value] : changes) {
    if (key == state_key) continue;
    ASSIGN_OR_RETURN(const std::optional<std::string> old, before.Get(key));
    if (old) hash -= RowHash(key, *old);
    if (value) hash += RowHash(key, *value);
  }
  return hash;
}

Result<uint64_t> HashOf(const ReadView& view) {
  const std::string state_key = schema::StateKey();
  uint64_t hash = 0;
  RETURN_IF_ERROR(view.Scan("", "", [&](std::string_view key, std::string_view value) {
    if (key != state_key) hash += RowHash(key, value);
    return true;
  }));
  return hash;
}

}  // namespace cairn
