// Where the store of the state is, and how another one takes its place as a whole: a snapshot is
// built beside the state and becomes it in one step (docs/formats/metadata_rows.md).
#pragma once

#include <memory>
#include <string>

#include "common/file.h"
#include "common/status.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

// Confined to one thread at a time.
class StateHome {
 public:
  virtual ~StateHome() = default;
  // The current store. Anything left of others is removed.
  virtual Result<std::unique_ptr<KvStore>> Open() = 0;
  // An empty store beside it, instead of one that an earlier call began.
  virtual Result<std::unique_ptr<KvStore>> BeginAnother() = 0;
  // The store of the last BeginAnother() is the current one from now on, durably.
  // REQUIRES: everything in it is durable.
  virtual Status Switch() = 0;
};

std::unique_ptr<StateHome> MakeMemoryHome();
// In `directory`: one LevelDB per store, and the file state-current that names the current one.
// `unclean_boot`: the machine booted since it was closed cleanly (rule M2). `files` must outlive
// it.
std::unique_ptr<StateHome> MakeLevelDbHome(std::string directory, FileSystem& files,
                                           bool unclean_boot);

}  // namespace cairn
