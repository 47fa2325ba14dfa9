// The data files of a store: where they lie, how they come and go. Open descriptors are kept by the
// chunks in use (ChunkTable), not here.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/store/chunk_format.h"
#include "common/file.h"

namespace cairn {

// Thread-safe; about one chunk's file decide under that chunk's lock.
class ChunkFiles {
 public:
  ChunkFiles(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Makes the folders and puts them on disk, unless they are there.
  Status Prepare();
  std::string Path(ChunkId id) const;

  // Null when there is no file and `create` is false.
  Result<std::shared_ptr<File>> Open(ChunkId id, bool create);
  // See FileSystem::OpenToShare.
  Result<Descriptor> OpenToShare(ChunkId id) { return files_.OpenToShare(Path(id)); }
  // The file's directory entry is on disk on return.
  Status SyncEntry(ChunkId id);
  // Everything of this disk is on disk on return.
  Status SyncAll();

  // Absent is ok. A file that cannot be removed is doomed: it must not serve a chunk to come.
  Status Remove(ChunkId id);
  // If a file of this name was removed, that is on disk on return. To be called before one is
  // created anew: after a power cut the old one would stand under the rows of the new one.
  Status SyncRemoval(ChunkId id);
  // Files removed whose removal is not known to be on disk.
  size_t RemovedCount() const;
  // For a chunk whose seal may still be on disk: should a power cut bring the seal back, the bytes
  // must be there too. The file is removed by RemoveDoomed, after its rows' removal is on disk.
  void Doom(ChunkId id);
  bool IsDoomed(ChunkId id) const;
  size_t DoomedCount() const;
  std::vector<ChunkId> Doomed() const;  // in order
  // REQUIRES: the chunk's lock is held and the removal of its rows is on disk. Nothing happens
  // unless the file is doomed.
  Status RemoveDoomed(ChunkId id);

  bool Exists(ChunkId id) { return files_.Exists(Path(id)); }
  // The chunk's file becomes the file set aside, or the other way round. False: there was none.
  // Neither name is on disk before SyncMove.
  Result<bool> MoveAside(const AsideFile& aside) { return Move(Path(aside.id), AsidePath(aside)); }
  Result<bool> MoveBack(const AsideFile& aside) { return Move(AsidePath(aside), Path(aside.id)); }
  // The new name first: a power cut leaves at least one of the two.
  Status SyncMoveAside(ChunkId id);
  Status SyncMoveBack(ChunkId id);
  Result<std::vector<AsideFile>> ListAside();  // of one chunk the oldest first
  Status RemoveAside(const AsideFile& aside) { return files_.Remove(AsidePath(aside)); }

  // The chunks that have a file.
  Result<std::vector<ChunkId>> List();
  Result<DiskSpace> Space() { return files_.Space(directory_); }

 private:
  Status PrepareAside();
  std::string AsidePath(const AsideFile& aside) const;
  Result<bool> Move(const std::string& from, const std::string& to);
  Status SyncAside() { return files_.SyncDirectory(directory_ + "/" + kAsideFolder); }

  bool MayComeBack(ChunkId id) const;
  uint64_t RemovalsSoFar() const;
  // Removals up to number `until` are on disk.
  void ForgetRemoved(uint32_t folder, uint64_t until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  FileSystem& files_;
  const std::string directory_;
  mutable absl::Mutex mu_;
  absl::flat_hash_set<ChunkId> doomed_ ABSL_GUARDED_BY(mu_);
  uint64_t removals_ ABSL_GUARDED_BY(mu_) = 0;
  // By folder: which removal it was.
  std::array<absl::flat_hash_map<ChunkId, uint64_t>, kChunkFolders> removed_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
