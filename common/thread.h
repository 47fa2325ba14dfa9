// A named thread of the system. The one way in which a chunkserver starts threads, so that a
// simulator can link another implementation and run them all on one.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace cairn {

// Thread-compatible.
class Thread {
 public:
  Thread();  // runs nothing
  // Runs `body` at once. Of the name the system keeps 15 bytes.
  Thread(const std::string& name, std::function<void()> body);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;  // REQUIRES: this one runs nothing
  ~Thread();                                   // REQUIRES: joined, or never started

  // Waits until the body has returned; nothing if that was done before, or there is none.
  void Join();

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace cairn
