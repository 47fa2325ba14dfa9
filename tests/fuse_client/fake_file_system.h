// A file system of an empty root directory; tests replace what they are about.
#pragma once

#include "client/mounted_file_system.h"

namespace cairn::fuse {

class FakeFileSystem : public MountedFileSystem {
 public:
  Result<Entry> Lookup(const Identity&, InodeId, std::string_view) override { return Absent(); }
  Result<Entry> GetAttributes(InodeId inode) override {
    Entry entry;
    entry.attributes.st_ino = inode.value;
    entry.attributes.st_mode = S_IFDIR | 0755;
    entry.attributes.st_nlink = 2;
    return entry;
  }
  Result<Entry> SetAttributesOf(const Identity&, InodeId, const SetAttributes&) override {
    return Absent();
  }
  Status CheckAccess(const Identity&, InodeId, uint32_t) override { return OkStatus(); }
  Result<Entry> MakeNode(const Identity&, InodeId, std::string_view, uint32_t,
                         uint64_t) override {
    return Absent();
  }
  Result<Entry> MakeDirectory(const Identity&, InodeId, std::string_view, uint32_t) override {
    return Absent();
  }
  Result<Entry> MakeSymlink(const Identity&, InodeId, std::string_view,
                            std::string_view) override {
    return Absent();
  }
  Result<Entry> Link(const Identity&, InodeId, InodeId, std::string_view) override {
    return Absent();
  }
  Status Unlink(const Identity&, InodeId, std::string_view) override { return Gone(); }
  Status RemoveDirectory(const Identity&, InodeId, std::string_view) override { return Gone(); }
  Status Rename(const Identity&, InodeId, std::string_view, InodeId, std::string_view,
                uint32_t) override {
    return Gone();
  }
  Result<std::string> ReadSymlink(InodeId) override { return Fail(Gone()); }
  Result<std::vector<DirectoryItem>> ReadDirectory(const Identity&, InodeId, uint64_t, uint32_t,
                                                   bool) override {
    return std::vector<DirectoryItem>();
  }
  Result<Opened> Create(const Identity&, InodeId, std::string_view, uint32_t, int) override {
    return Fail(Gone());
  }
  Result<Opened> Open(const Identity&, InodeId, int) override { return Fail(Gone()); }
  Result<std::vector<Payload>> Read(const OpenFilePtr&, uint64_t, size_t) override {
    return Fail(Gone());
  }
  Status Write(uint32_t, const OpenFilePtr&, uint64_t, std::span<const std::byte>,
               int) override {
    return Gone();
  }
  Status Flush(const OpenFilePtr&) override { return OkStatus(); }
  Status Fsync(const OpenFilePtr&) override { return OkStatus(); }
  Status FsyncDirectory(InodeId) override { return OkStatus(); }
  void Release(OpenFilePtr) override {}
  Result<FileSystemSpace> Space() override { return FileSystemSpace(); }
  Status FlushAll(Deadline) override { return OkStatus(); }

 protected:
  static Status Gone() { return Status(ErrorCode::kNotFound, "no such name"); }
  static Result<Entry> Absent() { return Fail(Gone()); }
};

}  // namespace cairn::fuse
