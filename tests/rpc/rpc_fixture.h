// A frame server with a few plain methods, and channels to it, over each carrier.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "cairn/v1/common.pb.h"
#include "rpc/channel.h"
#include "rpc/poller.h"
#include "rpc/server.h"
#include "tests/support/test_certificates.h"

namespace cairn {

enum class Carrier { kTcp, kTls, kUnix };

// Stand-ins: the carrier does not care what a method means.
inline constexpr v1::Method kEcho = v1::METADATA_LOOKUP;      // body and payload come back
inline constexpr v1::Method kHold = v1::METADATA_OPEN;        // answered by AnswerHeld
inline constexpr v1::Method kDrop = v1::METADATA_CLOSE;       // never answered
inline constexpr v1::Method kRefuse = v1::METADATA_UNLINK;    // kNotEmpty
inline constexpr v1::Method kRecord = v1::METADATA_RENAME;    // remembers the body, answers

class RpcFixture : public testing::Test {
 protected:
  explicit RpcFixture(Carrier carrier = Carrier::kTcp);
  ~RpcFixture() override;

  void StartServer();
  void StopServer() { server_.reset(); }
  Address ServerAddress() const;
  std::shared_ptr<Channel> NewChannel();
  ChannelOptions NewChannelOptions();
  // Body text or the Status that came instead.
  static Result<std::string> Ask(Channel& channel, v1::Method method, const std::string& text,
                                 Payload payload = {},
                                 Duration timeout = std::chrono::seconds(10));
  static v1::StatusDetail Text(const std::string& text);

  std::vector<std::shared_ptr<ServerCall>> TakeHeld();
  // Until `count` calls are held, at most 10 s.
  void AwaitHeld(size_t count);
  std::vector<std::string> recorded();

  const Carrier carrier_;
  std::string unix_path_;
  TestAuthority authority_{"test-ca"};
  std::shared_ptr<Poller> poller_ = Poller::Start("test-poller");
  Dispatcher dispatcher_;
  FrameServerOptions options_;
  FaultPlan client_faults_;
  std::unique_ptr<FrameServer> server_;

 private:
  void AddMethods();

  absl::Mutex mu_;
  std::vector<std::shared_ptr<ServerCall>> held_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> recorded_ ABSL_GUARDED_BY(mu_);
};

std::string CarrierName(const testing::TestParamInfo<Carrier>& info);

}  // namespace cairn
