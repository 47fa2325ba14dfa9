// The language of the operation tests: paths and callers instead of inodes and requests. Every
// sentence is one command applied to the store.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "metaserver/operations/apply.h"
#include "metaserver/operations/runs.h"
#include "metaserver/store/rows.h"
#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

using Code = ErrorCode;

inline v1::Caller User(uint32_t uid, uint32_t gid, std::initializer_list<uint32_t> groups = {}) {
  v1::Caller caller;
  caller.set_uid(uid);
  caller.set_gid(gid);
  for (uint32_t group : groups) caller.add_groups(group);
  return caller;
}

// A founded cluster with chunks of 1 MiB over one store.
class Namespace {
 public:
  explicit Namespace(std::unique_ptr<KvStore> store);

  // Sentences that follow are spoken by this user. Root at first.
  void As(v1::Caller caller) { caller_ = std::move(caller); }
  // Sessions that are said to hold the victim of the next removals.
  void HeldBy(std::vector<uint64_t> holders) { holders_ = std::move(holders); }

  Code MakeDirectory(const std::string& path, uint32_t mode = 0755);
  Code MakeFile(const std::string& path, uint32_t mode = 0644);
  Code MakeNode(const std::string& path, uint32_t mode, uint64_t device = 0);
  Code MakeSymlink(const std::string& path, const std::string& target);
  Code Link(const std::string& from, const std::string& to);
  Code Unlink(const std::string& path);
  Code RemoveDirectory(const std::string& path);
  Code Rename(const std::string& from, const std::string& to, uint32_t flags = 0);
  Code Chmod(const std::string& path, uint32_t mode);
  Code Chown(const std::string& path, std::optional<uint32_t> uid, std::optional<uint32_t> gid);
  Code Truncate(const std::string& path, uint64_t size);
  // Bytes up to `end` were written into the runs, given as {first, count}.
  Code Commit(const std::string& path, uint64_t end,
              std::initializer_list<std::pair<uint32_t, uint32_t>> runs, uint64_t generation);
  Code FinishTrim(const std::string& path, uint64_t generation);
  uint64_t OpenSession(const std::string& client_id);
  Code CloseSession(uint64_t session);
  // Sentences that follow are requests of this session, each with the next number. 0 at first: of
  // none.
  void InSession(uint64_t session) { session_ = session; }
  void NextNumber(uint64_t sequence) { sequence_ = sequence - 1; }
  // Chunks [first, first + count) may be written past the size.
  Code Extend(const std::string& path, uint32_t first, uint32_t count);
  // A commit after which nothing past the size is untold.
  Code CommitLast(const std::string& path, uint64_t end,
                  std::initializer_list<std::pair<uint32_t, uint32_t>> runs, uint64_t generation);
  Code EndExtend(const std::string& path);

  // The command as a proposer would complete it: time, new id, victim.
  v1::Command Complete(v1::Command command);
  v1::Outcome Apply(const v1::Command& command);
  Code Run(v1::Command command) { return CodeOf(Apply(Complete(std::move(command)))); }
  static Code CodeOf(const v1::Outcome& outcome) { return static_cast<Code>(outcome.code()); }

  // What is there now. Paths must exist.
  InodeId Resolve(const std::string& path);
  v1::InodeRecord Inode(const std::string& path);
  v1::Attributes Stat(const std::string& path) { return Inode(path).attributes(); }
  uint32_t Mode(const std::string& path) { return Stat(path).mode() & 07777; }
  std::vector<std::string> List(const std::string& path);
  bool Exists(const std::string& path);
  std::string Cuts(const std::string& path);  // "1:500 2:800"
  std::string Runs(const std::string& path);  // "0+3 7+1"
  std::string TrimRuns(const std::string& path);  // "" too without a trim row
  std::vector<uint64_t> Extenders(const std::string& path);
  template <typename Row>
  std::optional<Row> Find(const std::string& key) {
    return *LoadRow<Row>(*store_->View(), key);
  }
  v1::StateRecord State() { return *LoadState(*store_->View()); }
  KvStore& store() { return *store_; }

 private:
  struct Place {
    uint64_t parent;
    std::string name;
  };
  Place PlaceOf(const std::string& path);
  void Number(v1::RequestId& id);
  v1::Command CommitOf(const std::string& path, uint64_t end,
                       std::initializer_list<std::pair<uint32_t, uint32_t>> runs,
                       uint64_t generation);
  uint64_t VictimOf(const v1::Command& command);
  // Any request with a caller, a parent and a name.
  template <typename Request>
  Request* At(Request* request, const std::string& path) {
    const Place place = PlaceOf(path);
    *request->mutable_caller() = caller_;
    request->set_parent(place.parent);
    request->set_name(place.name);
    Number(*request->mutable_id());
    return request;
  }

  std::unique_ptr<KvStore> store_;
  v1::Caller caller_;
  std::vector<uint64_t> holders_;
  uint64_t session_ = 0;
  uint64_t sequence_ = 0;
  int64_t now_ = 1000;
};

// A namespace over the store the test is run with.
class NamespaceTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  TemporaryDirectory directory_;
  Namespace fs_{OpenStore(GetParam(), directory_.path())};
};

std::string RunsText(const ChunkRuns& runs);  // "0+3 7+1"

}  // namespace cairn::testing
