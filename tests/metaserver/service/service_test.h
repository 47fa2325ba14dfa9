// A metadata service over a memory store and log, spoken to as its carriers do.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"
#include "tests/support/memory_log.h"

namespace cairn::testing {

using Code = ErrorCode;

// A call whose answer stays to be looked at.
class RecordedCall final : public ServerCall {
 public:
  RecordedCall(std::string body, PeerIdentity peer)
      : body_(std::move(body)), peer_(std::move(peer)) {}

  std::string_view body() const override { return body_; }
  const Payload& payload() const override { return payload_; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return deadline_; }
  void Reply(const google::protobuf::MessageLite& response, Payload) override {
    answer_ = response.SerializeAsString();
  }
  void Fail(const Status& status) override { answer_ = cairn::Fail(status); }

  bool answered() const { return answer_.has_value(); }
  template <typename Response>
  Result<Response> Answer() const {
    if (!answer_) return cairn::Fail(Code::kInternal, "not answered");
    if (!*answer_) return cairn::Fail(answer_->error());
    Response response;
    CAIRN_CHECK(response.ParseFromString(**answer_));
    return response;
  }

 private:
  const std::string body_;
  const Payload payload_;
  const PeerIdentity peer_;
  const Deadline deadline_ = Deadline::After(std::chrono::seconds(60));
  std::optional<Result<std::string>> answer_;
};

class FakeCluster final : public ClusterSpace, public PlacementGroups {
 public:
  Result<Space> CurrentSpace() const override { return Space{1000, 400}; }
  bool NearFull() const override { return near_full; }
  bool near_full = false;
  void Ensure(PoolId pool, std::function<void(Status)> done) override {
    done(pool == PoolId(1) ? OkStatus() : Status(Code::kNotFound, "no such pool"));
  }
};

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() { Start(); }
  ~ServiceTest() override { (void)state_->Stop(); }

  // A metaserver on what the log holds.
  void Start();
  // Its process ends, and another one begins.
  void Restart();

  std::shared_ptr<RecordedCall> Send(v1::Method method,
                                     const google::protobuf::MessageLite& request);
  template <typename Response>
  Result<Response> Ask(v1::Method method, const google::protobuf::MessageLite& request) {
    return Send(method, request)->Answer<Response>();
  }
  template <typename Response>
  static Code CodeOf(const Result<Response>& result) {
    return result ? Code::kOk : result.error().code();
  }

  // A new session, or the client's own again, with what it holds open.
  uint64_t OpenSession(const std::string& client, const std::vector<uint64_t>& held = {});
  v1::RequestId NextId(uint64_t session);
  v1::CreateRequest CreateOf(const std::string& name, uint64_t session, int flags = O_RDWR);
  v1::EntryResponse Create(const std::string& name, uint64_t session);
  Result<v1::EntryResponse> Open(uint64_t inode, uint64_t session, int flags = O_RDWR);
  // As mounts do it: what was written past the size is committed by now.
  Code Close(uint64_t inode, uint64_t session);
  v1::CloseRequest CloseOf(uint64_t inode, uint64_t session);
  std::vector<uint64_t> Extenders(uint64_t inode);
  v1::UnlinkRequest UnlinkOf(const std::string& name, uint64_t session);
  Result<v1::RemovedResponse> Unlink(const std::string& name, uint64_t session);
  // Bytes that were written.
  void Commit(uint64_t inode, uint64_t session, uint64_t end);
  Result<v1::EntryResponse> Lookup(const std::string& name);
  std::optional<v1::OrphanRecord> Orphan(uint64_t inode);
  bool Exists(uint64_t inode) { return LoadInode(*state_->View(), InodeId(inode)).has_value(); }

  ManualClock clock_;
  std::vector<LogEntry> entries_;
  FakeCluster cluster_;
  PeerIdentity peer_;
  uint64_t sequence_ = 0;
  std::unique_ptr<ReplicatedState> state_;
  MemoryLog* log_ = nullptr;
  std::unique_ptr<AdmissionCache> admission_;
  std::unique_ptr<TokenIssuer> tokens_;
  std::unique_ptr<SessionTable> sessions_;
  std::unique_ptr<MetadataService> service_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace cairn::testing
