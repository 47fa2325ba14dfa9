// Several metaservers with one state, as if Raft had done its work; the test says who leads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/metadata.pb.h"
#include "rpc/dispatcher.h"
#include "rpc/server.h"

namespace cairn::testing {

// Numbered from 1, as their server ids are; 1 leads at first. Stop, Start and StopAll are for the
// test's thread, the rest is thread-safe.
class FakeMetaservers {
 public:
  // They listen on UNIX sockets in `directory` and on TCP. `fill` registers what they serve.
  FakeMetaservers(std::string directory, uint32_t count,
                  const std::function<void(Dispatcher&)>& fill);
  ~FakeMetaservers() { StopAll(); }

  Address Socket(uint32_t server) const;
  std::vector<Address> Sockets() const;
  Address Tcp(uint32_t server) const;

  void Lead(uint32_t server);        // 0: nobody does
  // What this one says when it is asked who leads, whatever is true. 0: the truth again.
  void Misname(uint32_t server, uint32_t leader);
  // Takes calls and does nothing with them until it is resumed, as after SIGSTOP and SIGCONT.
  void Pause(uint32_t server);
  void Resume(uint32_t server);
  void Stop(uint32_t server);
  void Start(uint32_t server);
  void StopAll();

  uint64_t requests(uint32_t server) const;   // that reached it, without questions who leads
  uint64_t questions(uint32_t server) const;

 private:
  struct One {
    bool paused = false;
    uint32_t misnames = 0;
    uint64_t requests = 0;
    uint64_t questions = 0;
    uint16_t port = 0;
    std::vector<std::function<void()>> held;
  };
  void Take(uint32_t server, v1::Method method, std::shared_ptr<ServerCall> call);
  void Serve(uint32_t server, v1::Method method, const std::shared_ptr<ServerCall>& call);
  v1::FindLeaderResponse FindLeader(uint32_t server) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string directory_;
  Dispatcher state_;
  mutable absl::Mutex mu_;
  uint32_t leader_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<uint32_t, One> all_ ABSL_GUARDED_BY(mu_);
  std::map<uint32_t, std::unique_ptr<Dispatcher>> doors_;
  std::map<uint32_t, std::unique_ptr<FrameServer>> listening_;
};

}  // namespace cairn::testing
