// A metaserver's answers, in memory and without rights: as much as a client's tests need.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "cairn/v1/metadata.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/status.h"
#include "rpc/dispatcher.h"
#include "tests/support/fake_faults.h"

namespace cairn::testing {

// Thread-safe.
class FakeMetadata {
 public:
  FakeMetadata(uint32_t chunk_size, FaultScript* script);

  void Register(Dispatcher& dispatcher);
  void SetMap(v1::ClusterMap map);
  // As a restart: the session is known, what it holds open is not.
  void ForgetOpens();
  // The session expires: what it was writing past sizes is cut off.
  void DropSessions();
  // What sessions are told of the disks.
  void SetNearFull(bool near_full);
  // Another mount's change.
  void TruncateByOther(uint64_t inode, uint64_t size);
  // Tokens are sealed with key `key` from now on; 0: there is none, and tokens are empty.
  void SetTokenKey(uint32_t key);
  // No older token can be renewed: it has to come from an Open.
  void ForgetTokenKeys();

  v1::InodeRecord Inode(uint64_t inode) const;
  std::set<uint64_t> OpenInodes() const;
  std::set<uint64_t> Extended() const;  // which the session may be writing past their size
  uint64_t changes_run() const;     // mutations that were really run
  uint64_t sessions_opened() const;

 private:
  template <typename Request, typename Response>
  void Serve(Dispatcher& dispatcher, v1::Method method,
             Result<Response> (FakeMetadata::*run)(const Request&));
  template <typename Request, typename Response>
  Result<Response> RunOnce(const Request& request,
                           Result<Response> (FakeMetadata::*run)(const Request&));

  // Handlers (fake_metadata_handlers.cc) run with mu_ held.
  Result<v1::OpenSessionResponse> OpenSession(const v1::OpenSessionRequest& request);
  Result<v1::RenewSessionResponse> RenewSession(const v1::RenewSessionRequest& request);
  Result<v1::CloseSessionResponse> CloseSession(const v1::CloseSessionRequest& request);
  Result<v1::EntryResponse> Lookup(const v1::LookupRequest& request);
  Result<v1::EntryResponse> GetAttributes(const v1::GetAttributesRequest& request);
  Result<v1::EntryResponse> SetAttributes(const v1::SetAttributesRequest& request);
  Result<v1::EntryResponse> Create(const v1::CreateRequest& request);
  Result<v1::EntryResponse> MakeDirectory(const v1::MakeDirectoryRequest& request);
  Result<v1::RemovedResponse> Unlink(const v1::UnlinkRequest& request);
  Result<v1::RemovedResponse> Rename(const v1::RenameRequest& request);
  Result<v1::EntryResponse> Open(const v1::OpenRequest& request);
  Result<v1::CloseResponse> Close(const v1::CloseRequest& request);
  Result<v1::EntryResponse> CommitWrite(const v1::CommitWriteRequest& request);
  Result<v1::EntryResponse> Extend(const v1::ExtendRequest& request);
  Result<v1::ReadDirectoryResponse> ReadDirectory(const v1::ReadDirectoryRequest& request);
  Result<v1::StatFsResponse> StatFs(const v1::StatFsRequest& request);
  Result<v1::ClusterMap> FetchMap(const v1::FetchMapRequest& request);
  Result<v1::RenewTokensResponse> RenewTokens(const v1::RenewTokensRequest& request);

  Result<v1::InodeRecord*> Find(uint64_t inode);
  v1::InodeRecord& Make(uint64_t parent, const std::string& name, uint32_t mode);
  void Resize(v1::InodeRecord& inode, uint64_t size);
  v1::EntryResponse OpenAnswer(const v1::InodeRecord& inode, uint32_t flags) const;
  void Cut(v1::FileMap& file, uint64_t size);
  void EndSession();
  v1::EntryResponse Answer(const v1::InodeRecord& inode) const;

  const uint32_t chunk_size_;
  FaultScript* const script_;
  mutable absl::Mutex mu_;  // guards all that follows
  std::map<uint64_t, v1::InodeRecord> inodes_;
  std::map<std::pair<uint64_t, std::string>, uint64_t> names_;
  std::map<std::pair<uint64_t, uint64_t>, std::pair<Status, std::string>> replies_;
  std::set<uint64_t> open_;
  std::set<uint64_t> extended_;
  v1::ClusterMap map_;
  uint64_t session_ = 0;
  uint64_t sessions_opened_ = 0;
  bool reclaim_ = false;
  bool near_full_ = false;
  uint64_t next_inode_ = 2;
  uint64_t changes_run_ = 0;
  uint32_t token_key_ = 1;
  bool old_keys_known_ = true;
};

}  // namespace cairn::testing
