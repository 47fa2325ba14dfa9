// `cairn` against three metaservers of which 2 leads and hears chunkservers.
#pragma once

#include <gmock/gmock.h>

#include <csignal>
#include <deque>
#include <functional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "tests/cli/fake_group.h"

namespace cairn {

// Keeps what a verb says, and acts when it has said something: a test of a verb that goes on has
// nothing to wait for.
class HeardOutput final : public std::ostream {
 public:
  HeardOutput() : std::ostream(nullptr) { rdbuf(&buffer_); }
  std::string str() const { return buffer_.str(); }
  void str(const std::string& text) { buffer_.str(text); }
  // Once, on the thread that writes.
  void When(std::string text, std::function<void()> action) {
    buffer_.expected.emplace_back(std::move(text), std::move(action));
  }

 private:
  struct Buffer final : std::stringbuf {
    std::streamsize xsputn(const char* text, std::streamsize size) override {
      const std::streamsize written = std::stringbuf::xsputn(text, size);
      if (!expected.empty() && str().find(expected.front().first) != std::string::npos) {
        const std::function<void()> action = std::move(expected.front().second);
        expected.pop_front();
        action();
      }
      return written;
    }
    std::deque<std::pair<std::string, std::function<void()>>> expected;
  };
  Buffer buffer_;
};

class FleetTest : public testing::Test {
 protected:
  static constexpr int kLeader = 2;

  FleetTest() { group_.BeFounded("c", kLeader); }

  int Ask(std::vector<std::string> arguments, bool terminal = false) {
    arguments.insert(arguments.end(), {"--cluster", group_.Addresses(), "--tls-dir", tls_});
    out_.str("");
    err_.str("");
    return static_cast<int>(RunCairn(std::move(arguments), Console{out_, err_, terminal}));
  }
  // At the leader.
  void AddServer(uint32_t id, uint32_t groups = 4) {
    group_.Change(kLeader, [&](FakeMember& member) {
      v1::ChunkserverStatus& server = *member.status.add_chunkservers();
      server.set_server(id);
      server.set_host("stone" + std::to_string(id));
      server.mutable_frames()->set_host("10.0.0." + std::to_string(id));
      server.mutable_frames()->set_port(7410);
      server.set_up(true);
      server.set_total_bytes(uint64_t{10} << 30);
      server.set_available_bytes(uint64_t{6} << 30);
      server.set_active_groups(groups);
    });
  }
  void ChangeServerOf(uint32_t id, const std::function<void(v1::ChunkserverStatus&)>& change) {
    group_.Change(kLeader, [&](FakeMember& member) { change(ServerOf(member, id)); });
  }
  static v1::ChunkserverStatus& ServerOf(FakeMember& member, uint32_t id) {
    for (auto& server : *member.status.mutable_chunkservers()) {
      if (server.server() == id) return server;
    }
    return *member.status.add_chunkservers();
  }
  void LoseLeader() {
    group_.Stop(kLeader);
    group_.Lead(0);
  }
  static std::string Word(const std::string& text, size_t line, size_t word) {
    std::istringstream lines(text);
    std::string each, found;
    for (size_t i = 0; i <= line; ++i) std::getline(lines, each);
    std::istringstream words(each);
    for (size_t i = 0; i <= word; ++i) words >> found;
    return found;
  }

  ScratchDirectory scratch_;
  const std::string tls_ = scratch_.path() + "/tls";
  FakeGroup group_{tls_, 3};
  HeardOutput out_, err_;
};

}  // namespace cairn
