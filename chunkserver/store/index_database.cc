#include "chunkserver/store/index_database.h"

#include <utility>

namespace cairn {
namespace {

class LevelDbRows final : public IndexDatabase {
 public:
  explicit LevelDbRows(std::unique_ptr<DurableLevelDb> database) : database_(std::move(database)) {}
  leveldb::DB& db() override { return database_->db(); }
  Status Write(leveldb::WriteBatch* batch, bool sync) override {
    return database_->Write(batch, sync);
  }

 private:
  const std::unique_ptr<DurableLevelDb> database_;
};

}  // namespace

Result<std::unique_ptr<IndexDatabase>> OpenIndexDatabase(const std::string& directory,
                                                         const DurableLevelDbOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<DurableLevelDb> database,
                   DurableLevelDb::Open(directory, options));
  return std::make_unique<LevelDbRows>(std::move(database));
}

}  // namespace cairn
