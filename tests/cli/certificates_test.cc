#include "cli/certificates.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <memory>

#include "common/file.h"
#include "tests/cli/scratch_directory.h"

namespace cairn {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

X509Ptr Read(const std::string& path) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> file(BIO_new_file(path.c_str(), "r"), BIO_free_all);
  return {file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, X509_free};
}

mode_t ModeOf(const std::string& path) {
  struct stat attributes {};
  EXPECT_EQ(::stat(path.c_str(), &attributes), 0);
  return attributes.st_mode & 0777;
}

class CertificatesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(EnsureAuthority(directory_, "Cairn test").ok());
    const auto files = EnsureCertificate(directory_, "meta1", "metaserver-meta1");
    ASSERT_TRUE(files.has_value()) << files.error().ToString();
    files_ = *files;
  }
  // As OpenSSL judges it for `purpose`, with `ca` as the only root.
  static int Verify(const std::string& certificate, const std::string& ca, int purpose) {
    std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                  X509_STORE_free);
    const X509Ptr root = Read(ca), leaf = Read(certificate);
    X509_STORE_add_cert(store.get(), root.get());
    std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                            X509_STORE_CTX_free);
    X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
    X509_STORE_CTX_set_purpose(context.get(), purpose);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()),
                                X509_V_FLAG_X509_STRICT);
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
  }

  ScratchDirectory scratch_;
  const std::string directory_ = scratch_.path() + "/tls";
  TlsFiles files_;
};

TEST_F(CertificatesTest, OpenSslAcceptsThemOnBothSides) {
  EXPECT_EQ(Verify(files_.certificate, files_.ca, X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(Verify(files_.certificate, files_.ca, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_TRUE(TlsContext::Load(files_).has_value());
}

TEST_F(CertificatesTest, AnotherAuthorityDoesNotVouchForThem) {
  const std::string other = scratch_.path() + "/other";
  ASSERT_TRUE(EnsureAuthority(other, "Cairn test").ok());
  EXPECT_NE(Verify(files_.certificate, other + "/ca.crt", X509_PURPOSE_SSL_SERVER), X509_V_OK);
}

TEST_F(CertificatesTest, ACertificateCannotSignOthers) {
  EXPECT_EQ(X509_check_ca(Read(files_.certificate).get()), 0);
  EXPECT_EQ(X509_check_ca(Read(files_.ca).get()), 1);
}

TEST_F(CertificatesTest, NameTheServerByAllItsAddresses) {
  const X509Ptr certificate = Read(files_.certificate);
  for (const char* name : {"cairn", "localhost"}) {
    EXPECT_EQ(X509_check_host(certificate.get(), name, 0, 0, nullptr), 1) << name;
  }
  for (const char* address : {"127.0.0.1", "::1"}) {
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), address, 0), 1) << address;
  }
  EXPECT_EQ(X509_check_host(certificate.get(), "elsewhere", 0, 0, nullptr), 0);
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof name);
  EXPECT_STREQ(name, "metaserver-meta1");
}

TEST_F(CertificatesTest, KeysAreForTheirOwnerOnly) {
  EXPECT_EQ(ModeOf(files_.key), 0600u);
  EXPECT_EQ(ModeOf(directory_ + "/ca.key"), 0600u);
  EXPECT_EQ(ModeOf(directory_), 0700u);
}

TEST_F(CertificatesTest, WhatIsThereIsKept) {
  const std::string before = *LoadFile(PosixFiles(), files_.certificate);
  ASSERT_TRUE(EnsureAuthority(directory_, "Cairn test").ok());
  ASSERT_TRUE(EnsureCertificate(directory_, "meta1", "metaserver-meta1").has_value());
  EXPECT_EQ(*LoadFile(PosixFiles(), files_.certificate), before);
}

TEST_F(CertificatesTest, WithoutAnAuthorityThereIsNoCertificate) {
  const auto files = EnsureCertificate(scratch_.path() + "/none", "x", "x");
  ASSERT_FALSE(files.has_value());
  EXPECT_EQ(files.error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cairn
