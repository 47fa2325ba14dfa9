#include "rpc/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

namespace cairn {
namespace {

constexpr size_t kReadAheadBytes = 64u << 10;

std::string LastReason() {
  unsigned long error = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown reason";
}

Status BadFile(const char* what, const std::string& path) {
  std::string reason = LastReason();
  if (access(path.c_str(), F_OK) != 0) {
    return Status::Error(ErrorCode::kNotFound, "{} {} does not exist", what, path);
  }
  return Status::Error(ErrorCode::kInvalidArgument, "cannot load {} {}: {}", what, path, reason);
}

Status LoadInto(SSL_CTX* context, const TlsFiles& files) {
  if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1) {
    return BadFile("CA certificate", files.ca);
  }
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    return BadFile("certificate", files.certificate);
  }
  // OpenSSL compares the key with the certificate here.
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return BadFile("private key", files.key);
  }
  return OkStatus();
}

void Configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // AES-128 first: the bulk of what TLS costs here is the cipher.
  SSL_CTX_set_ciphersuites(context,
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                           "TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // One recv for many records instead of two for each.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAheadBytes);
}

Result<SSL_CTX*> MakeContext(const SSL_METHOD* method, const TlsFiles& files) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) return Fail(ErrorCode::kInternal, "no TLS context: {}", LastReason());
  Configure(context);
  Status loaded = LoadInto(context, files);
  if (loaded.ok()) return context;
  SSL_CTX_free(context);
  return Fail(std::move(loaded));
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const TlsFiles& files) {
  std::shared_ptr<TlsContext> context(new TlsContext());
  context->files_ = files;
  ASSIGN_OR_RETURN(context->client_, MakeContext(TLS_client_method(), files));
  ASSIGN_OR_RETURN(context->server_, MakeContext(TLS_server_method(), files));
  return std::shared_ptr<const TlsContext>(std::move(context));
}

TlsContext::~TlsContext() {
  SSL_CTX_free(client_);
  SSL_CTX_free(server_);
}

}  // namespace cairn
