// Throwaway certificate authorities for tests, made with OpenSSL in memory and written as PEM
// files.
#pragma once

#include <string>

#include "rpc/tls.h"

namespace cairn {

// One authority in a directory of its own below the test's temporary directory; the files go when
// the object goes.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // A certificate signed by this authority, valid for an hour.
  TlsFiles Issue(const std::string& common_name);
  std::shared_ptr<const TlsContext> Context(const std::string& common_name);

 private:
  struct Keys;
  std::string directory_;
  std::unique_ptr<Keys> keys_;
};

}  // namespace cairn
