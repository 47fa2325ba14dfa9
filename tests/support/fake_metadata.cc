#include "tests/support/fake_metadata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "client/run_set.h"
#include "tests/support/fake_serve.h"

namespace cairn::testing {

namespace {
template <typename Request>
uint64_t InodeOf(const Request& request) {
  if constexpr (requires { request.inode(); }) return request.inode();
  return 0;
}
}  // namespace

FakeMetadata::FakeMetadata(uint32_t chunk_size, FaultScript* script)
    : chunk_size_(chunk_size), script_(script) {
  absl::MutexLock lock(&mu_);
  v1::InodeRecord& root = inodes_[1];
  root.mutable_attributes()->set_inode(1);
  root.mutable_attributes()->set_mode(S_IFDIR | 0755);
  root.mutable_attributes()->set_version(1);
}

template <typename Request, typename Response>
Result<Response> FakeMetadata::RunOnce(const Request& request,
                                       Result<Response> (FakeMetadata::*run)(const Request&)) {
  absl::MutexLock lock(&mu_);
  if constexpr (requires { request.id(); }) {
    if (request.id().session() != session_) return Fail(ErrorCode::kUnknownSession, "session");
    std::pair key(request.id().session(), request.id().sequence());
    if (auto old = replies_.find(key); old != replies_.end()) {
      if (!old->second.first.ok()) return Fail(old->second.first);
      Response response;
      response.ParseFromString(old->second.second);
      return response;
    }
    ++changes_run_;
    Result<Response> result = (this->*run)(request);
    replies_[key] = {internal::StatusOf(result),
                     result.has_value() ? result->SerializeAsString() : std::string()};
    return result;
  } else {
    return (this->*run)(request);
  }
}

template <typename Request, typename Response>
void FakeMetadata::Serve(Dispatcher& dispatcher, v1::Method method,
                         Result<Response> (FakeMetadata::*run)(const Request&)) {
  ServeScripted<Request, Response>(
      dispatcher, script_, method, &InodeOf<Request>,
      [this, run](const Request& request, const Payload&, Payload&) {
        return RunOnce<Request, Response>(request, run);
      });
}

void FakeMetadata::Register(Dispatcher& dispatcher) {
  Serve(dispatcher, v1::METADATA_OPEN_SESSION, &FakeMetadata::OpenSession);
  Serve(dispatcher, v1::METADATA_RENEW_SESSION, &FakeMetadata::RenewSession);
  Serve(dispatcher, v1::METADATA_CLOSE_SESSION, &FakeMetadata::CloseSession);
  Serve(dispatcher, v1::METADATA_LOOKUP, &FakeMetadata::Lookup);
  Serve(dispatcher, v1::METADATA_GET_ATTRIBUTES, &FakeMetadata::GetAttributes);
  Serve(dispatcher, v1::METADATA_SET_ATTRIBUTES, &FakeMetadata::SetAttributes);
  Serve(dispatcher, v1::METADATA_CREATE, &FakeMetadata::Create);
  Serve(dispatcher, v1::METADATA_MAKE_DIRECTORY, &FakeMetadata::MakeDirectory);
  Serve(dispatcher, v1::METADATA_UNLINK, &FakeMetadata::Unlink);
  Serve(dispatcher, v1::METADATA_RENAME, &FakeMetadata::Rename);
  Serve(dispatcher, v1::METADATA_OPEN, &FakeMetadata::Open);
  Serve(dispatcher, v1::METADATA_CLOSE, &FakeMetadata::Close);
  Serve(dispatcher, v1::METADATA_COMMIT_WRITE, &FakeMetadata::CommitWrite);
  Serve(dispatcher, v1::METADATA_EXTEND, &FakeMetadata::Extend);
  Serve(dispatcher, v1::METADATA_READ_DIRECTORY, &FakeMetadata::ReadDirectory);
  Serve(dispatcher, v1::METADATA_STATFS, &FakeMetadata::StatFs);
  Serve(dispatcher, v1::METADATA_FETCH_MAP, &FakeMetadata::FetchMap);
  Serve(dispatcher, v1::METADATA_RENEW_TOKENS, &FakeMetadata::RenewTokens);
}

void FakeMetadata::SetMap(v1::ClusterMap map) {
  absl::MutexLock lock(&mu_);
  map_ = std::move(map);
}

void FakeMetadata::ForgetOpens() {
  absl::MutexLock lock(&mu_);
  open_.clear();
  reclaim_ = true;
}

void FakeMetadata::DropSessions() {
  absl::MutexLock lock(&mu_);
  EndSession();
}

void FakeMetadata::SetNearFull(bool near_full) {
  absl::MutexLock lock(&mu_);
  near_full_ = near_full;
}

void FakeMetadata::TruncateByOther(uint64_t inode, uint64_t size) {
  absl::MutexLock lock(&mu_);
  Resize(inodes_[inode], size);
}

void FakeMetadata::SetTokenKey(uint32_t key) {
  absl::MutexLock lock(&mu_);
  token_key_ = key;
}

void FakeMetadata::ForgetTokenKeys() {
  absl::MutexLock lock(&mu_);
  old_keys_known_ = false;
}

v1::InodeRecord FakeMetadata::Inode(uint64_t inode) const {
  absl::MutexLock lock(&mu_);
  auto it = inodes_.find(inode);
  return it == inodes_.end() ? v1::InodeRecord() : it->second;
}

std::set<uint64_t> FakeMetadata::OpenInodes() const {
  absl::MutexLock lock(&mu_);
  return open_;
}

std::set<uint64_t> FakeMetadata::Extended() const {
  absl::MutexLock lock(&mu_);
  return extended_;
}

uint64_t FakeMetadata::changes_run() const {
  absl::MutexLock lock(&mu_);
  return changes_run_;
}

uint64_t FakeMetadata::sessions_opened() const {
  absl::MutexLock lock(&mu_);
  return sessions_opened_;
}

}  // namespace cairn::testing
