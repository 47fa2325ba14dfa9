// What chunkservers store against the files there are (rules C10, C11). Pure: what to ask, when and
// in which order so that the answer is true is chunk_check's business.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/ids.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/placement/group_row.h"

namespace cairn {

// So many suspicions of one kind about one file are listed; the rest of it is not looked at.
inline constexpr size_t kMostSuspicionsPerFile = 1000;

// Chunks behind `after` up to and with `upto`.
struct ChunkRange {
  ChunkId after;
  ChunkId upto;
  bool Holds(ChunkId id) const { return after < id && id <= upto; }
};

struct ListedChunk {
  ChunkId id;
  PgId group;
  uint64_t bytes = 0;
};

// All that a server stores in a range, in order of id.
using ServerListings = std::map<ServerId, std::vector<ListedChunk>>;

// What a row says of a file, as far as its chunks go.
struct FileChunks {
  bool regular = false;
  bool leaving = false;  // it has no name: its chunks go, or may at any moment
  v1::Layout layout;
  uint64_t generation = 0;
  std::vector<v1::ChunkRun> runs;
};
FileChunks ChunksOf(const v1::InodeRecord& record);

struct ChunkSuspicion {
  enum class Kind {
    kOrphan,   // there is no such file
    kSurplus,  // the server is no member of the group, or it is not the chunk's group
    kMissing,  // an active member lacks a chunk that was written
    kLost,     // the group of a chunk that was written was given up; no server is named
  };
  Kind kind = Kind::kOrphan;
  ChunkId id;
  ServerId server;
  PgId group;
  // What has to be the same when it is confirmed: of kMissing and kLost alone, else 0.
  uint64_t generation = 0;  // of the file: no cut came between
  Epoch epoch;              // of the group: the server was a member all the time
  friend auto operator<=>(const ChunkSuspicion&, const ChunkSuspicion&) = default;
};

struct ChunkComparison {
  std::map<ChunkSuspicion, uint64_t> suspicions;  // and the bytes stored
  std::set<InodeId> cut_short;  // files of which more is wrong than is listed
};

// Servers that are not in `listings` were not asked or did not answer: nothing is said of them.
// REQUIRES: `files` holds every inode of the range that exists, and `listings` was taken before
// that was read.
ChunkComparison CompareChunks(const ChunkRange& range, const ServerListings& listings,
                              const std::map<InodeId, FileChunks>& files, const MapSnapshot& map,
                              const ServerViews& views);

}  // namespace cairn
