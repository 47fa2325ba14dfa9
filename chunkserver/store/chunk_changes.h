// Tells somebody outside when the bytes of a chunk may be changing. The store and the gates say it;
// they do not know who listens.
#pragma once

#include "common/ids.h"

namespace cairn {

// Thread-safe. Both must be quick and not call back; every Begin() has its End(), and those of one
// chunk may overlap.
class ChunkChanges {
 public:
  virtual ~ChunkChanges() = default;
  virtual void Begin(ChunkId id) = 0;  // before the first byte changes
  virtual void End(ChunkId id) = 0;
};

// Nobody listens.
inline ChunkChanges& NoChunkChanges() {
  class Nobody final : public ChunkChanges {
    void Begin(ChunkId) override {}
    void End(ChunkId) override {}
  };
  static Nobody nobody;
  return nobody;
}

// One change, for a scope.
class ChunkChange {
 public:
  ChunkChange(ChunkChanges& changes, ChunkId id) : changes_(changes), id_(id) {
    changes_.Begin(id_);
  }
  ~ChunkChange() { changes_.End(id_); }
  ChunkChange(const ChunkChange&) = delete;
  ChunkChange& operator=(const ChunkChange&) = delete;

 private:
  ChunkChanges& changes_;
  const ChunkId id_;
};

}  // namespace cairn
