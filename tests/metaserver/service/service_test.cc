#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

void ServiceTest::Start() {
  const OpenLog open_log = [this](StateMachine& machine,
                                  LeadershipObserver&) -> Result<std::unique_ptr<ReplicatedLog>> {
    auto log = std::make_unique<MemoryLog>(entries_, machine);
    log_ = log.get();
    return log;
  };
  state_ = *OpenReplicatedState(MakeMemoryHome(), open_log, clock_);
  sessions_ = std::make_unique<SessionTable>(clock_);
  CAIRN_CHECK(sessions_->Restore(*state_->View()).ok());
  admission_ = std::make_unique<AdmissionCache>(*state_);
  state_->OnAdmissionChange(
      [this](bool shown) { shown ? admission_->EndChange() : admission_->BeginChange(); });
  tokens_ = std::make_unique<TokenIssuer>(*state_, *admission_, clock_);
  service_ = std::make_unique<MetadataService>(*state_, *sessions_, cluster_, cluster_, *tokens_);
  dispatcher_ = std::make_unique<Dispatcher>();
  service_->OnLeadership(true);
  service_->Register(*dispatcher_);
  if (state_->IsBorn()) return;
  v1::Command found;
  found.mutable_found_cluster()->set_cluster_id("test");
  found.mutable_found_cluster()->set_copies(1);
  CAIRN_CHECK(state_->ProposeAndWait(found)->code() == 0);
}

void ServiceTest::Restart() {
  (void)state_->Stop();
  dispatcher_.reset();
  service_.reset();
  sessions_.reset();
  state_.reset();
  Start();
}

std::shared_ptr<RecordedCall> ServiceTest::Send(v1::Method method,
                                                const google::protobuf::MessageLite& request) {
  auto call = std::make_shared<RecordedCall>(request.SerializeAsString(), peer_);
  dispatcher_->Dispatch(method, call);
  return call;
}

uint64_t ServiceTest::OpenSession(const std::string& client, const std::vector<uint64_t>& held) {
  v1::OpenSessionRequest request;
  request.set_client_id(client);
  request.mutable_open_inodes()->Add(held.begin(), held.end());
  return Ask<v1::OpenSessionResponse>(v1::METADATA_OPEN_SESSION, request)->session();
}

v1::RequestId ServiceTest::NextId(uint64_t session) {
  v1::RequestId id;
  id.set_session(session);
  id.set_sequence(++sequence_);
  id.set_lowest_unanswered(1);
  return id;
}

v1::CreateRequest ServiceTest::CreateOf(const std::string& name, uint64_t session, int flags) {
  v1::CreateRequest request;
  *request.mutable_id() = NextId(session);
  request.mutable_caller()->set_uid(0);
  request.set_parent(1);
  request.set_name(name);
  request.set_mode(0644);
  request.set_flags(static_cast<uint32_t>(flags));
  return request;
}

v1::EntryResponse ServiceTest::Create(const std::string& name, uint64_t session) {
  return *Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf(name, session));
}

Result<v1::EntryResponse> ServiceTest::Open(uint64_t inode, uint64_t session, int flags) {
  v1::OpenRequest request;
  *request.mutable_id() = NextId(session);
  request.set_inode(inode);
  request.set_flags(static_cast<uint32_t>(flags));
  return Ask<v1::EntryResponse>(v1::METADATA_OPEN, request);
}

v1::CloseRequest ServiceTest::CloseOf(uint64_t inode, uint64_t session) {
  v1::CloseRequest request;
  request.set_session(session);
  request.add_inodes(inode);
  request.add_extended(inode);
  *request.mutable_end_id() = NextId(session);
  return request;
}

Code ServiceTest::Close(uint64_t inode, uint64_t session) {
  return CodeOf(Ask<v1::CloseResponse>(v1::METADATA_CLOSE, CloseOf(inode, session)));
}

std::vector<uint64_t> ServiceTest::Extenders(uint64_t inode) {
  const auto row = *LoadRow<v1::ExtendRecord>(*state_->View(), schema::ExtendKey(InodeId(inode)));
  if (!row) return {};
  return {row->sessions().begin(), row->sessions().end()};
}

v1::UnlinkRequest ServiceTest::UnlinkOf(const std::string& name, uint64_t session) {
  v1::UnlinkRequest request;
  *request.mutable_id() = NextId(session);
  request.set_parent(1);
  request.set_name(name);
  return request;
}

Result<v1::RemovedResponse> ServiceTest::Unlink(const std::string& name, uint64_t session) {
  return Ask<v1::RemovedResponse>(v1::METADATA_UNLINK, UnlinkOf(name, session));
}

void ServiceTest::Commit(uint64_t inode, uint64_t session, uint64_t end) {
  v1::CommitWriteRequest request;
  *request.mutable_id() = NextId(session);
  request.set_inode(inode);
  request.set_end(end);
  request.add_runs()->set_count(1);
  CAIRN_CHECK(Ask<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, request).has_value());
}

Result<v1::EntryResponse> ServiceTest::Lookup(const std::string& name) {
  v1::LookupRequest request;
  request.set_parent(1);
  request.set_name(name);
  return Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, request);
}

std::optional<v1::OrphanRecord> ServiceTest::Orphan(uint64_t inode) {
  return *LoadRow<v1::OrphanRecord>(*state_->View(), schema::OrphanKey(InodeId(inode)));
}

}  // namespace cairn::testing
