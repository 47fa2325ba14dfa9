// The writing side of a disk's page (rpc/local_page_layout.h): counts what changes, for clients
// that read chunks by themselves. Pure counting; who may read is LocalGrants' business.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "chunkserver/replication/group_table.h"
#include "chunkserver/store/chunk_changes.h"
#include "common/descriptor.h"
#include "common/status.h"
#include "rpc/local_page_layout.h"

namespace cairn {

// Thread-safe without a lock.
class LocalPage final : public ChunkChanges, public StandingWatch {
 public:
  // A page in the file `path`, without a lease. One that an earlier process left there is revoked
  // first: whoever still has it mapped believes nothing any more.
  // REQUIRES: the data directory's lock is held, so that the earlier process is gone.
  static Result<std::unique_ptr<LocalPage>> Make(std::string path);
  ~LocalPage() override;  // revokes, and removes the file

  // Read-only, to be passed on.
  int descriptor() const { return shared_.get(); }

  void Begin(ChunkId id) override;
  void End(ChunkId id) override;

  void LeaseExtended(BootTime until) override;
  void Revoked() override;  // for good: nothing prolongs it any more
  void GroupChanged(PgId group) override;
  void AllGroupsChanged() override;

  // How often changes of the chunk have begun; nothing while one is under way.
  std::optional<uint64_t> QuietChange(ChunkId id) const;
  uint64_t GroupChange(PgId group) const;

 private:
  LocalPage(std::string path, Descriptor shared, LocalPageLayout* page)
      : path_(std::move(path)), shared_(std::move(shared)), page_(page) {}
  LocalChunkSlot& SlotOf(ChunkId id) const { return page_->chunks[LocalSlotOf(id)]; }

  const std::string path_;
  const Descriptor shared_;
  LocalPageLayout* const page_;
  std::atomic<bool> revoked_{false};
};

}  // namespace cairn
