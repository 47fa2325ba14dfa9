// The rows of a chunk index in memory. With the power goes a suffix of what was not synced, as rule
// M2 promises of the real one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chunkserver/store/index_database.h"
#include "tests/simulation/random.h"
#include "tests/support/batch_changes.h"

namespace cairn::simulation::chunks {

using Rows = std::map<std::string, std::string>;

// What is on the disk and in the page cache; outlives the processes that use it. Thread-compatible.
class MemoryRows {
 public:
  // For one process, until Detach(): its writes fail from then on, it sees what it saw last.
  std::unique_ptr<IndexDatabase> Attach();
  void Detach();
  void LosePower(Random& random);

 private:
  class Database;
  struct View;  // of the process that is attached

  Status Write(const leveldb::WriteBatch& batch, bool sync);

  std::shared_ptr<Rows> rows_ = std::make_shared<Rows>();
  Rows synced_;
  std::vector<BatchChanges> unsynced_;
  std::shared_ptr<View> attached_;
};

}  // namespace cairn::simulation::chunks
