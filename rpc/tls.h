// TLS 1.3 with certificates on both sides, from the cluster's own CA. Any certificate that CA
// signed is accepted; what a certificate's name allows is not decided here.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"

struct ssl_ctx_st;

namespace cairn {

struct TlsFiles {
  std::string ca;           // PEM
  std::string certificate;  // PEM
  std::string key;          // PEM
  bool empty() const { return ca.empty(); }
};

// The loaded form of TlsFiles. Immutable, thread-safe, shared by all connections.
class TlsContext {
 public:
  // kInvalidArgument or kNotFound names the file and OpenSSL's reason; a key that does not belong
  // to the certificate is refused here.
  static Result<std::shared_ptr<const TlsContext>> Load(const TlsFiles& files);
  ~TlsContext();

  ssl_ctx_st* client() const { return client_; }
  ssl_ctx_st* server() const { return server_; }
  const TlsFiles& files() const { return files_; }

 private:
  TlsContext() = default;
  ssl_ctx_st* client_ = nullptr;
  ssl_ctx_st* server_ = nullptr;
  TlsFiles files_;
};

}  // namespace cairn
