// What keeps the rows of a chunk index: LevelDB, or what a test stands in its place.
#pragma once

#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <memory>
#include <string>

#include "common/durable_leveldb.h"
#include "common/status.h"

namespace cairn {

// What it holds after a power cut is a prefix of what was written (rule M2). Thread-safe.
class IndexDatabase {
 public:
  virtual ~IndexDatabase() = default;
  // For reading.
  virtual leveldb::DB& db() = 0;
  // Applied together. On return in the page cache; durable as well when `sync`, with everything
  // written before.
  virtual Status Write(leveldb::WriteBatch* batch, bool sync) = 0;
};

// LevelDB in a directory of its own.
Result<std::unique_ptr<IndexDatabase>> OpenIndexDatabase(const std::string& directory,
                                                         const DurableLevelDbOptions& options);

}  // namespace cairn
