// The key of every row (docs/formats/metadata_rows.md). Numbers are big-endian, so that rows of one
// object are neighbours and scans come in order.
//
//   s                                  StateRecord
//   i <inode:8>                        InodeRecord
//   d <parent:8> <hash:8> <name>       DentryRecord
//   o <inode:8>                        OrphanRecord
//   t <inode:8>                        TrimRecord
//   e <inode:8>                        ExtendRecord
//   S <session:8>                      SessionRecord
//   R <session:8> <sequence:8>         ReplyRecord
//   p <pool:4>                         Pool
//   g <group:4>                        PlacementGroup
//   v <server:4>                       ServerRecord
//   c <client id>                      session id (8 bytes) of the mount that chose this id
//   u <disk uuid>                      server id (8 bytes) of the chunkserver with this disk
//   P                                  RepairRecord: the repair under way, or the last
//   E <sequence:8>                     EventRecord; the newest 1000
//   q                                  Settings
//   x ...                              extended attributes, reserved
//   l ...                              locks, reserved
//   f <sequence:8>                     Fence: a session that is shut out
//   k                                  TokenKeysRecord
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "common/status.h"

namespace cairn::schema {

std::string StateKey();
std::string InodeKey(InodeId inode);
std::string DentryKey(InodeId parent, std::string_view name);
std::string DentryPrefix(InodeId parent);
// The first possible key of an entry whose cookie is `cookie`.
std::string DentryFrom(InodeId parent, uint64_t cookie);
// The cookie inside a dentry key.
uint64_t DentryCookie(std::string_view dentry_key);
std::string OrphanKey(InodeId inode);
std::string TrimKey(InodeId inode);
std::string ExtendKey(InodeId inode);
std::string SessionKey(SessionId session);
std::string ReplyKey(SessionId session, uint64_t sequence);
std::string ReplyPrefix(SessionId session);
std::string PoolKey(PoolId pool);
std::string GroupKey(PgId group);
std::string ServerKey(ServerId server);
std::string ClientKey(std::string_view client_id);
std::string DiskKey(std::string_view disk_uuid);
std::string RepairKey();
std::string EventKey(uint64_t sequence);
std::string SettingsKey();
std::string FenceKey(uint64_t sequence);
std::string TokenKeysKey();

// The eight big-endian bytes `bytes` begins with. REQUIRES: there are eight.
uint64_t KeyNumber(std::string_view bytes);
// The value of a client row: a number as eight big-endian bytes.
std::string NumberValue(uint64_t value);

inline constexpr std::string_view kInodePrefix = "i";
inline constexpr std::string_view kOrphanPrefix = "o";
inline constexpr std::string_view kTrimPrefix = "t";
inline constexpr std::string_view kExtendPrefix = "e";
inline constexpr std::string_view kSessionPrefix = "S";
inline constexpr std::string_view kPoolPrefix = "p";
inline constexpr std::string_view kGroupPrefix = "g";
inline constexpr std::string_view kServerPrefix = "v";
inline constexpr std::string_view kEventPrefix = "E";
inline constexpr std::string_view kFencePrefix = "f";

}  // namespace cairn::schema
