#include "cli/certificates.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "common/file.h"

namespace cairn {

namespace {
constexpr long kValiditySeconds = 3650L * 24 * 3600;
constexpr long kClockSkewSeconds = 3600;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

Status SslFailure(std::string_view what) {
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
  return Status::Error(ErrorCode::kInternal, "{}: {}", what, reason);
}

Status WriteWithMode(const std::string& path, std::string_view contents, mode_t mode) {
  const std::string aside = path + ".new";
  (void)::unlink(aside.c_str());
  const int descriptor = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return Status::FromErrno(errno, "create " + aside);
  const bool written = ::write(descriptor, contents.data(), contents.size()) ==
                           static_cast<ssize_t>(contents.size()) &&
                       ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  if (!written) return Status::FromErrno(error, "write " + aside);
  return PosixFiles().Rename(aside, path);
}

template <typename WritePem>
Result<std::string> ToPem(WritePem write) {
  Bio memory(BIO_new(BIO_s_mem()));
  if (!memory || write(memory.get()) != 1) return Fail(SslFailure("cannot write PEM"));
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

// The key first: a certificate on disk means that both are there.
Status Store(const TlsFiles& files, X509* certificate, EVP_PKEY* key) {
  ASSIGN_OR_RETURN(const std::string key_pem, ToPem([key](BIO* out) {
                     return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr,
                                                          nullptr);
                   }));
  ASSIGN_OR_RETURN(const std::string certificate_pem,
                   ToPem([certificate](BIO* out) { return PEM_write_bio_X509(out, certificate); }));
  RETURN_IF_ERROR(WriteWithMode(files.key, key_pem, 0600));
  return WriteWithMode(files.certificate, certificate_pem, 0644);
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetSerial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // positive, never zero
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  const bool set = number != nullptr &&
                   BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

// A version 3 certificate without issuer and signature.
Result<Certificate> Draft(EVP_PKEY* key, const std::string& common_name) {
  Certificate certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), 2) != 1 ||
      !SetSerial(certificate.get()) ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kClockSkewSeconds) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValiditySeconds) == nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1 ||
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                 -1, 0) != 1) {
    return Fail(SslFailure("cannot make a certificate for " + common_name));
  }
  return certificate;
}

std::string SubjectNames() {
  std::string names = "DNS:cairn,DNS:localhost,IP:127.0.0.1,IP:::1";
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0 && host[0] != '\0' &&
      std::string_view(host) != "localhost" &&
      std::string_view(host).find(',') == std::string_view::npos) {
    names += ",DNS:" + std::string(host);
  }
  return names;
}

struct Authority {
  Certificate certificate;
  Key key;
};

Result<Authority> LoadAuthority(const std::string& directory) {
  const TlsFiles files = CertificateFiles(directory, "ca");
  ASSIGN_OR_RETURN(const std::string certificate, LoadFile(PosixFiles(), files.certificate));
  ASSIGN_OR_RETURN(const std::string key, LoadFile(PosixFiles(), files.key));
  Bio certificate_bio(BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  Bio key_bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  Authority authority{
      Certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr)),
      Key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr))};
  if (!authority.certificate || !authority.key) {
    return Fail(SslFailure("the authority in " + directory + " does not parse"));
  }
  return authority;
}

bool SignAsAuthority(X509* certificate, EVP_PKEY* key) {
  return X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
         AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         AddExtension(certificate, certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool SignBy(const Authority& authority, X509* certificate) {
  X509* issuer = authority.certificate.get();
  return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         AddExtension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         AddExtension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
         AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
         AddExtension(certificate, issuer, NID_subject_alt_name, SubjectNames()) &&
         X509_sign(certificate, authority.key.get(), EVP_sha256()) > 0;
}
}  // namespace

TlsFiles CertificateFiles(const std::string& directory, const std::string& name) {
  return {directory + "/ca.crt", directory + "/" + name + ".crt", directory + "/" + name + ".key"};
}

Status EnsureAuthority(const std::string& directory, const std::string& common_name) {
  const TlsFiles files = CertificateFiles(directory, "ca");
  if (PosixFiles().Exists(files.certificate) && PosixFiles().Exists(files.key)) return OkStatus();
  RETURN_IF_ERROR(PosixFiles().MakeDirectory(directory));
  if (::chmod(directory.c_str(), 0700) != 0) return Status::FromErrno(errno, "chmod " + directory);
  Key key(EVP_EC_gen("P-256"));
  if (!key) return SslFailure("cannot make a key");
  ASSIGN_OR_RETURN(const Certificate certificate, Draft(key.get(), common_name));
  if (!SignAsAuthority(certificate.get(), key.get())) {
    return SslFailure("cannot sign " + common_name);
  }
  return Store(files, certificate.get(), key.get());
}

Result<TlsFiles> EnsureCertificate(const std::string& directory, const std::string& name,
                                   const std::string& common_name) {
  const TlsFiles files = CertificateFiles(directory, name);
  if (PosixFiles().Exists(files.certificate) && PosixFiles().Exists(files.key)) return files;
  ASSIGN_OR_RETURN(const Authority authority, LoadAuthority(directory));
  Key key(EVP_EC_gen("P-256"));
  if (!key) return Fail(SslFailure("cannot make a key"));
  ASSIGN_OR_RETURN(const Certificate certificate, Draft(key.get(), common_name));
  if (!SignBy(authority, certificate.get())) return Fail(SslFailure("cannot sign " + common_name));
  RETURN_IF_ERROR(Store(files, certificate.get(), key.get()));
  return files;
}

}  // namespace cairn
