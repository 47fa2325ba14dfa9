#include "rpc/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rpc/socket_bio.h"

namespace cairn {
namespace {

constexpr size_t kRecordBytes = 16384;

// What the peer, or our own check of it, had against the certificates.
bool IsAboutCertificates(unsigned long error) {
  switch (ERR_GET_REASON(error)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return true;
    default:
      return false;
  }
}

// SSL objects are not thread-safe: the mutex is held for one record at a time, never while waiting.
class TlsStream final : public Stream {
 public:
  TlsStream(int descriptor, SSL* ssl) : Stream(descriptor), ssl_(ssl) {}
  ~TlsStream() override { SSL_free(ssl_); }

  IoResult Handshake() override {
    absl::MutexLock lock(&mu_);
    ERR_clear_error();
    int outcome = SSL_do_handshake(ssl_);
    return outcome == 1 ? IoResult{} : Explain(outcome);
  }

  IoResult Read(std::span<std::byte> first, std::span<std::byte> rest) override {
    IoResult total;
    while (true) {
      std::span<std::byte> target = total.bytes < first.size()
                                        ? first.subspan(total.bytes)
                                        : rest.subspan(total.bytes - first.size());
      if (target.empty()) return total;
      IoResult one = ReadRecord(target);
      if (one.state != IoState::kOk) return total.bytes == 0 ? one : Partial(total, one);
      total.bytes += one.bytes;
    }
  }

  IoResult Write(std::span<const iovec> pieces) override {
    IoResult total;
    size_t offset = 0;  // into pieces.front()
    while (!pieces.empty()) {
      IoResult one = WriteRecord(pieces, offset);
      if (one.state != IoState::kOk) return total.bytes == 0 ? one : total;
      total.bytes += one.bytes;
      for (offset += one.bytes; !pieces.empty() && offset >= pieces.front().iov_len;) {
        offset -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
      }
    }
    return total;
  }

  std::string PeerName() const override {
    absl::MutexLock lock(&mu_);
    X509* certificate = SSL_get0_peer_certificate(ssl_);
    if (certificate == nullptr) return {};
    std::array<char, 256> name{};
    int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                           name.data(), static_cast<int>(name.size()));
    return length > 0 ? std::string(name.data(), static_cast<size_t>(length)) : std::string();
  }

  Status error() const override {
    absl::MutexLock lock(&mu_);
    return error_;
  }

 private:
  // The end that follows some bytes is told by the next Read.
  static IoResult Partial(IoResult total, const IoResult& last) {
    total.drained = last.state == IoState::kWantRead;
    return total;
  }

  IoResult ReadRecord(std::span<std::byte> target) {
    absl::MutexLock lock(&mu_);
    ERR_clear_error();
    size_t got = 0;
    int outcome = SSL_read_ex(ssl_, target.data(), target.size(), &got);
    return outcome == 1 ? IoResult{IoState::kOk, got, false} : Explain(outcome);
  }

  // Small pieces travel in one record. Gathering always starts at the first unsent byte, so a retry
  // offers the same bytes, as OpenSSL demands.
  IoResult WriteRecord(std::span<const iovec> pieces, size_t offset) {
    const auto* data = static_cast<const std::byte*>(pieces.front().iov_base) + offset;
    size_t size = pieces.front().iov_len - offset;
    std::array<std::byte, kRecordBytes> gathered;
    if (size < kRecordBytes && pieces.size() > 1) {
      std::memcpy(gathered.data(), data, size);
      for (const iovec& piece : pieces.subspan(1)) {
        size_t take = std::min(piece.iov_len, kRecordBytes - size);
        std::memcpy(gathered.data() + size, piece.iov_base, take);
        size += take;
        if (size == kRecordBytes) break;
      }
      data = gathered.data();
    }
    absl::MutexLock lock(&mu_);
    ERR_clear_error();
    size_t sent = 0;
    int outcome = SSL_write_ex(ssl_, data, std::min(size, kRecordBytes), &sent);
    return outcome == 1 ? IoResult{IoState::kOk, sent, false} : Explain(outcome);
  }

  IoResult Explain(int outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    int saved_errno = errno;
    switch (SSL_get_error(ssl_, outcome)) {
      case SSL_ERROR_WANT_READ:
        return {IoState::kWantRead, 0, true};
      case SSL_ERROR_WANT_WRITE:
        return {IoState::kWantWrite, 0, false};
      case SSL_ERROR_ZERO_RETURN:
        return {IoState::kClosed, 0, true};
      case SSL_ERROR_SYSCALL:
        error_ = Status::FromErrno(saved_errno, "TLS socket");
        return {IoState::kFailed, 0, false};
      default:
        return ExplainProtocol();
    }
  }

  IoResult ExplainProtocol() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    unsigned long error = ERR_peek_error();
    // Peers end by closing the socket; frames carry their length, so nothing can be cut off unseen.
    if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING && SSL_is_init_finished(ssl_)) {
      return {IoState::kClosed, 0, true};
    }
    const char* reason = ERR_reason_error_string(error);
    error_ = Status::Error(
        IsAboutCertificates(error) ? ErrorCode::kUnauthenticated : ErrorCode::kUnavailable,
        "TLS: {}", reason != nullptr ? reason : "unknown failure");
    return {IoState::kFailed, 0, false};
  }

  mutable absl::Mutex mu_;
  SSL* const ssl_ ABSL_PT_GUARDED_BY(mu_);
  Status error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

Result<std::unique_ptr<Stream>> MakeTlsStream(int descriptor, const TlsContext& context,
                                              Stream::Side side) {
  bool is_client = side == Stream::Side::kClient;
  SSL* ssl = SSL_new(is_client ? context.client() : context.server());
  BIO* bio = NewSocketBio(descriptor);
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    BIO_free(bio);
    close(descriptor);
    return Fail(ErrorCode::kInternal, "no memory for TLS");
  }
  SSL_set_bio(ssl, bio, bio);  // ssl owns it now
  is_client ? SSL_set_connect_state(ssl) : SSL_set_accept_state(ssl);
  return std::make_unique<TlsStream>(descriptor, ssl);
}

}  // namespace cairn
