// The parts of one mount, put together.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/chunk_client.h"
#include "client/cluster_map.h"
#include "client/executor.h"
#include "client/inode_table.h"
#include "client/local_reads.h"
#include "client/metadata_client.h"
#include "client/metaserver_link.h"
#include "client/mounted_file_system.h"
#include "client/near_full.h"
#include "client/open_file.h"
#include "client/reader.h"
#include "client/session.h"
#include "client/write_behind.h"
#include "rpc/channel_pool.h"

namespace cairn::client {

// Thread-safe. Names: namespace_operations.cc; open files: file_operations.cc.
class Mount final : public MountedFileSystem {
 public:
  // REQUIRES: options.metaservers is not empty, options.client_id is set.
  explicit Mount(MountOptions options);
  ~Mount() override;
  Status Start();

  Result<Entry> Lookup(const Identity& who, InodeId parent, std::string_view name) override;
  Result<Entry> GetAttributes(InodeId inode) override;
  Result<Entry> SetAttributesOf(const Identity& who, InodeId inode,
                                const SetAttributes& change) override;
  Status CheckAccess(const Identity& who, InodeId inode, uint32_t mask) override;
  Result<Entry> MakeNode(const Identity& who, InodeId parent, std::string_view name, uint32_t mode,
                         uint64_t device) override;
  Result<Entry> MakeDirectory(const Identity& who, InodeId parent, std::string_view name,
                              uint32_t mode) override;
  Result<Entry> MakeSymlink(const Identity& who, InodeId parent, std::string_view name,
                            std::string_view target) override;
  Result<Entry> Link(const Identity& who, InodeId inode, InodeId new_parent,
                     std::string_view new_name) override;
  Status Unlink(const Identity& who, InodeId parent, std::string_view name) override;
  Status RemoveDirectory(const Identity& who, InodeId parent, std::string_view name) override;
  Status Rename(const Identity& who, InodeId parent, std::string_view name, InodeId new_parent,
                std::string_view new_name, uint32_t flags) override;
  Result<std::string> ReadSymlink(InodeId inode) override;
  Result<std::vector<DirectoryItem>> ReadDirectory(const Identity& who, InodeId inode,
                                                   uint64_t cookie, uint32_t limit,
                                                   bool attributes) override;
  Result<FileSystemSpace> Space() override;

  Result<Opened> Create(const Identity& who, InodeId parent, std::string_view name, uint32_t mode,
                        int flags) override;
  Result<Opened> Open(const Identity& who, InodeId inode, int flags) override;
  Result<std::vector<Payload>> Read(const OpenFilePtr& file, uint64_t offset,
                                    size_t length) override;
  Status Write(uint32_t uid, const OpenFilePtr& file, uint64_t offset,
               std::span<const std::byte> data, int flags) override;
  Status Flush(const OpenFilePtr& file) override;
  Status Fsync(const OpenFilePtr& file) override;
  Status FsyncDirectory(InodeId inode) override;
  void Release(OpenFilePtr file) override;
  Status FlushAll(Deadline deadline) override;

 private:
  Status CheckWritable() const;
  Status CheckChange(std::string_view name) const;  // a mutation of this name is possible at all
  Entry ToEntry(v1::EntryResponse response) const;
  template <typename Request>
  Result<Entry> MakeEntry(v1::Method method, Request request);
  // Before a rename that replaces a file: what was written to the source is published first. Fails
  // when some of it is lost: then what it would replace is all there is.
  Status FlushBeforeReplacing(const Identity& who, InodeId parent, std::string_view name,
                              InodeId new_parent, std::string_view new_name);
  // Flushes; a failure that nobody was told is told here.
  Status FlushWhole(const InodeStatePtr& state);
  Result<v1::EntryResponse> FetchEntry(const Identity& who, InodeId parent, std::string_view name);
  Result<v1::EntryResponse> FetchAttributes(InodeId inode);
  Result<v1::EntryResponse> SendAttributes(const v1::SetAttributesRequest& request);
  Result<v1::EntryResponse> SendTimes(const InodeStatePtr& state,
                                      const v1::SetAttributesRequest& request);
  Result<v1::EntryResponse> SendSize(const InodeStatePtr& state,
                                     const v1::SetAttributesRequest& request);
  // Open with O_TRUNC of a file that may be dirty here.
  Result<Opened> OpenHeld(const v1::OpenRequest& request, const InodeStatePtr& cut);
  void KeepTokens();
  void DropStaleGrants();
  // No room is told by the write that did not find any. The size may follow later.
  Status WriteThrough(const OpenFilePtr& file);
  Result<Opened> FinishOpen(v1::EntryResponse response, SessionId session,
                            const v1::Caller& opener, int flags);

  const MountOptions options_;
  const SystemClock clock_;
  NearFull near_full_{clock_};
  std::unique_ptr<ChannelPool> channels_;
  MetaserverLink link_;
  Session session_;
  MetadataClient metadata_;
  ClusterMapCache map_;
  Executor executor_;
  LocalReads local_;
  ChunkClient chunks_;
  InodeTable table_;
  WriteBehind writes_;
  Reader reader_;
};

}  // namespace cairn::client
