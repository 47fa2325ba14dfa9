// A MountedFileSystem whose answers a test sets. Only what a test expects may be called.
#pragma once

#include <gmock/gmock.h>

#include "client/mounted_file_system.h"

namespace cairn {

class MockFileSystem : public MountedFileSystem {
 public:
  MOCK_METHOD(Result<Entry>, Lookup, (const Identity&, InodeId, std::string_view), (override));
  MOCK_METHOD(Result<Entry>, GetAttributes, (InodeId), (override));
  MOCK_METHOD(Result<Entry>, SetAttributesOf, (const Identity&, InodeId, const SetAttributes&),
              (override));
  MOCK_METHOD(Status, CheckAccess, (const Identity&, InodeId, uint32_t), (override));
  MOCK_METHOD(Result<Entry>, MakeNode,
              (const Identity&, InodeId, std::string_view, uint32_t, uint64_t), (override));
  MOCK_METHOD(Result<Entry>, MakeDirectory, (const Identity&, InodeId, std::string_view, uint32_t),
              (override));
  MOCK_METHOD(Result<Entry>, MakeSymlink,
              (const Identity&, InodeId, std::string_view, std::string_view), (override));
  MOCK_METHOD(Result<Entry>, Link, (const Identity&, InodeId, InodeId, std::string_view),
              (override));
  MOCK_METHOD(Status, Unlink, (const Identity&, InodeId, std::string_view), (override));
  MOCK_METHOD(Status, RemoveDirectory, (const Identity&, InodeId, std::string_view), (override));
  MOCK_METHOD(Status, Rename,
              (const Identity&, InodeId, std::string_view, InodeId, std::string_view, uint32_t),
              (override));
  MOCK_METHOD(Result<std::string>, ReadSymlink, (InodeId), (override));
  MOCK_METHOD(Result<std::vector<DirectoryItem>>, ReadDirectory,
              (const Identity&, InodeId, uint64_t, uint32_t, bool), (override));
  MOCK_METHOD(Result<Opened>, Create,
              (const Identity&, InodeId, std::string_view, uint32_t, int), (override));
  MOCK_METHOD(Result<Opened>, Open, (const Identity&, InodeId, int), (override));
  MOCK_METHOD(Result<std::vector<Payload>>, Read, (const OpenFilePtr&, uint64_t, size_t),
              (override));
  MOCK_METHOD(Status, Write,
              (uint32_t, const OpenFilePtr&, uint64_t, std::span<const std::byte>, int),
              (override));
  MOCK_METHOD(Status, Flush, (const OpenFilePtr&), (override));
  MOCK_METHOD(Status, Fsync, (const OpenFilePtr&), (override));
  MOCK_METHOD(Status, FsyncDirectory, (InodeId), (override));
  MOCK_METHOD(void, Release, (OpenFilePtr), (override));
  MOCK_METHOD(Result<FileSystemSpace>, Space, (), (override));
  MOCK_METHOD(Status, FlushAll, (Deadline), (override));
};

}  // namespace cairn
