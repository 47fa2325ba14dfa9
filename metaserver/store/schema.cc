#include "metaserver/store/schema.h"

#include "common/hash.h"

namespace cairn::schema {

namespace {

template <typename Integer>
void AppendBigEndian(std::string& key, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(static_cast<uint8_t>(value >> shift)));
  }
}

template <typename Integer>
std::string NumberKey(char kind, Integer value) {
  std::string key(1, kind);
  AppendBigEndian(key, value);
  return key;
}

constexpr size_t kCookieOffset = 1 + sizeof(uint64_t);

}  // namespace

std::string StateKey() {
  return "s";
}
std::string InodeKey(InodeId inode) {
  return NumberKey('i', inode.value);
}
std::string OrphanKey(InodeId inode) {
  return NumberKey('o', inode.value);
}
std::string TrimKey(InodeId inode) {
  return NumberKey('t', inode.value);
}
std::string ExtendKey(InodeId inode) {
  return NumberKey('e', inode.value);
}
std::string SessionKey(SessionId session) {
  return NumberKey('S', session.value);
}
std::string ReplyPrefix(SessionId session) {
  return NumberKey('R', session.value);
}
std::string PoolKey(PoolId pool) {
  return NumberKey('p', pool.value);
}
std::string GroupKey(PgId group) {
  return NumberKey('g', group.value);
}
std::string ServerKey(ServerId server) {
  return NumberKey('v', server.value);
}
std::string DentryPrefix(InodeId parent) {
  return NumberKey('d', parent.value);
}

std::string ReplyKey(SessionId session, uint64_t sequence) {
  std::string key = ReplyPrefix(session);
  AppendBigEndian(key, sequence);
  return key;
}

std::string DentryFrom(InodeId parent, uint64_t cookie) {
  std::string key = DentryPrefix(parent);
  AppendBigEndian(key, cookie);
  return key;
}

std::string DentryKey(InodeId parent, std::string_view name) {
  std::string key = DentryFrom(parent, NameHash(name));
  key.append(name);
  return key;
}

uint64_t DentryCookie(std::string_view dentry_key) {
  return KeyNumber(dentry_key.substr(kCookieOffset));
}

uint64_t KeyNumber(std::string_view bytes) {
  CAIRN_CHECK(bytes.size() >= sizeof(uint64_t));
  uint64_t value = 0;
  for (char byte : bytes.substr(0, sizeof(uint64_t))) {
    value = value << 8 | static_cast<uint8_t>(byte);
  }
  return value;
}

std::string NumberValue(uint64_t value) {
  std::string bytes;
  AppendBigEndian(bytes, value);
  return bytes;
}

std::string ClientKey(std::string_view client_id) {
  return std::string("c").append(client_id);
}
std::string DiskKey(std::string_view disk_uuid) {
  return std::string("u").append(disk_uuid);
}
std::string RepairKey() {
  return "P";
}
std::string EventKey(uint64_t sequence) {
  return NumberKey('E', sequence);
}
std::string SettingsKey() {
  return "q";
}
std::string FenceKey(uint64_t sequence) {
  return NumberKey('f', sequence);
}
std::string TokenKeysKey() {
  return "k";
}

}  // namespace cairn::schema
