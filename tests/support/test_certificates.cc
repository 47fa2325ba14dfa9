#include "tests/support/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace cairn {
namespace {

using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePointer = std::unique_ptr<X509, decltype(&X509_free)>;

KeyPointer MakeKey() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  CAIRN_CHECK(key != nullptr);
  return {key, EVP_PKEY_free};
}

CertificatePointer MakeCertificate(const std::string& name, EVP_PKEY* key, long serial) {
  CertificatePointer made(X509_new(), X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return made;
}

void AddExtension(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  CAIRN_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void WritePem(const std::string& path, X509* certificate) {
  FILE* file = std::fopen(path.c_str(), "w");
  CAIRN_CHECK(file != nullptr && PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
}

void WritePem(const std::string& path, EVP_PKEY* key) {
  FILE* file = std::fopen(path.c_str(), "w");
  CAIRN_CHECK(file != nullptr &&
              PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
}

}  // namespace

struct TestAuthority::Keys {
  explicit Keys(const std::string& name)
      : key(MakeKey()), certificate(MakeCertificate(name, key.get(), 1)) {
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    CAIRN_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  }
  KeyPointer key;
  CertificatePointer certificate;
  long last_serial = 1;
};

TestAuthority::TestAuthority(const std::string& name) : keys_(std::make_unique<Keys>(name)) {
  std::string pattern = std::filesystem::temp_directory_path() / "cairn_tls_XXXXXX";
  CAIRN_CHECK(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  WritePem(directory_ + "/ca.pem", keys_->certificate.get());
}

TestAuthority::~TestAuthority() { std::filesystem::remove_all(directory_); }

TlsFiles TestAuthority::Issue(const std::string& common_name) {
  KeyPointer key = MakeKey();
  auto certificate = MakeCertificate(common_name, key.get(), ++keys_->last_serial);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(keys_->certificate.get()));
  AddExtension(certificate.get(), NID_subject_alt_name, "DNS:cairn");  // gRPC asks for it
  CAIRN_CHECK(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) > 0);
  std::string base = directory_ + "/" + common_name + "-" + std::to_string(keys_->last_serial);
  WritePem(base + ".pem", certificate.get());
  WritePem(base + ".key", key.get());
  return {directory_ + "/ca.pem", base + ".pem", base + ".key"};
}

std::shared_ptr<const TlsContext> TestAuthority::Context(const std::string& common_name) {
  auto context = TlsContext::Load(Issue(common_name));
  CAIRN_CHECK(context.has_value());
  return *context;
}

}  // namespace cairn
