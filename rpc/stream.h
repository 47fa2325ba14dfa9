// A connected non-blocking socket, plain or with TLS over it.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "common/status.h"
#include "rpc/tls.h"

namespace cairn {

enum class IoState {
  kOk,         // `bytes` > 0 went through
  kWantRead,   // nothing went through; try again when the descriptor can be read
  kWantWrite,  // the same, when it can be written
  kClosed,     // reading: the peer has sent its last byte
  kFailed,     // Stream::error() says why
};

struct IoResult {
  IoState state = IoState::kOk;
  size_t bytes = 0;
  bool drained = false;  // reading: nothing more was there at that moment
};

// Owns the descriptor and closes it on destruction. One thread may read while another writes; two
// must not do the same. Never blocks.
class Stream {
 public:
  enum class Side { kClient, kServer };

  static std::unique_ptr<Stream> Plain(int descriptor);
  // The handshake happens inside the first calls.
  static Result<std::unique_ptr<Stream>> Tls(int descriptor, const TlsContext& context, Side side);
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int descriptor() const { return descriptor_; }
  // Wakes whoever waits on the descriptor: both directions end. From any thread.
  void Shutdown();

  // Ends the handshake when there is one; kOk when it is over.
  virtual IoResult Handshake() = 0;
  // Fills `first`, then `rest` (may be empty).
  virtual IoResult Read(std::span<std::byte> first, std::span<std::byte> rest) = 0;
  // Writes a prefix of `pieces`. After kWantWrite the next call must begin with the same bytes.
  virtual IoResult Write(std::span<const iovec> pieces) = 0;
  // Common name in the peer's certificate; empty without TLS. REQUIRES: the handshake is over.
  virtual std::string PeerName() const { return {}; }
  // Why the last Read, Write or Handshake failed. kUnauthenticated: certificates.
  virtual Status error() const = 0;

 protected:
  explicit Stream(int descriptor) : descriptor_(descriptor) {}

 private:
  const int descriptor_;
};

// Options every connection's socket gets: non-blocking, no delay, keep-alive; large buffers on UNIX
// sockets, whose size does not adapt.
void PrepareSocket(int descriptor, bool is_unix);

}  // namespace cairn
