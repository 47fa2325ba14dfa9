// Finds chunks that nobody can reach any more: of orphans without holders (rule C11), and beyond
// the cuts of living files (rule C9). Reads rows a page at a time; a file may have millions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cairn/v1/chunk.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/operations/runs.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

// Some chunks of one inode that are to go.
struct ReapItem {
  InodeId inode;
  bool whole = false;       // an orphan: chunks go altogether; else a trim: only what the cuts drop
  uint64_t generation = 0;  // of the orphan's file, or of the trim row
  v1::Layout layout;
  std::vector<v1::ChunkAddress> chunks;  // group and epoch are left to the one who sends
  uint64_t done_before = 0;              // chunks of this inode that are dealt with already
  bool complete = false;                 // no chunks come after these
};

// Confined to one thread.
class ReapScan {
 public:
  // Inodes for which this is true are passed over.
  using Skip = std::function<bool(InodeId, bool whole)>;

  // The next items, with at most `max_chunks` chunks and as many items. Rows that wait for a fence
  // later than `passed_fences` are passed over. Goes round and round: an inode comes again until
  // its row is gone.
  Result<std::vector<ReapItem>> Next(const ReadView& view, size_t max_chunks,
                                     uint64_t passed_fences, const Skip& skip);
  // The item's chunks are gone: go on behind them.
  void Advance(const ReapItem& item);

 private:
  struct Progress {
    uint64_t generation = 0;
    uint64_t chunks_done = 0;
  };
  struct Collecting {
    const ReadView& view;
    const Skip& skip;
    uint64_t passed_fences;
    size_t max_chunks;
    size_t chunks = 0;
    std::vector<ReapItem> items;
    Status status;
    bool full() const { return chunks >= max_chunks || items.size() >= max_chunks; }
  };
  template <typename Row>
  Status ScanKind(Collecting& collecting, std::string_view prefix, std::string& cursor);
  Status Visit(Collecting& collecting, InodeId inode, const v1::OrphanRecord& orphan);
  Status Visit(Collecting& collecting, InodeId inode, const v1::TrimRecord& trim);
  void AddChunks(Collecting& collecting, ReapItem item, const v1::FileMap& file,
                 const ChunkRuns& runs);

  std::string orphan_cursor_;  // where the next scan begins
  std::string trim_cursor_;
  std::map<std::pair<InodeId, bool>, Progress> progress_;
};

}  // namespace cairn
