#include "rpc/grpc_credentials.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "common/file.h"

namespace cairn {

namespace {

struct Pem {
  std::string ca, key, certificate;
};

Result<Pem> LoadPem(const TlsFiles& files) {
  Pem pem;
  ASSIGN_OR_RETURN(pem.ca, LoadFile(PosixFiles(), files.ca));
  ASSIGN_OR_RETURN(pem.key, LoadFile(PosixFiles(), files.key));
  ASSIGN_OR_RETURN(pem.certificate, LoadFile(PosixFiles(), files.certificate));
  return pem;
}

// gRPC 1.51 cannot be told to speak TLS 1.3 only. It can be told the ciphers of TLS 1.2, which 1.3
// does not use: a pre-shared key, which neither side has, leaves 1.2 without any. Read by gRPC when
// it makes its first TLS context.
void LeaveOnlyTls13() {
  static const int done = setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
  (void)done;
}

}  // namespace

Result<std::shared_ptr<grpc::ServerCredentials>> GrpcServerCredentials(const TlsContext* tls) {
  if (tls == nullptr) return grpc::InsecureServerCredentials();
  LeaveOnlyTls13();
  ASSIGN_OR_RETURN(Pem pem, LoadPem(tls->files()));
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = std::move(pem.ca);
  options.pem_key_cert_pairs.push_back({std::move(pem.key), std::move(pem.certificate)});
  return grpc::SslServerCredentials(options);
}

Result<std::shared_ptr<grpc::ChannelCredentials>> GrpcChannelCredentials(const TlsContext* tls) {
  if (tls == nullptr) return grpc::InsecureChannelCredentials();
  LeaveOnlyTls13();
  ASSIGN_OR_RETURN(Pem pem, LoadPem(tls->files()));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = std::move(pem.ca);
  options.pem_private_key = std::move(pem.key);
  options.pem_cert_chain = std::move(pem.certificate);
  return grpc::SslCredentials(options);
}

}  // namespace cairn
