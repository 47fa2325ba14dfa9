// A cluster's own certificate authority and the certificates it signs, as files in one directory:
// ca.crt, ca.key, NAME.crt, NAME.key (PEM; keys with mode 0600). EC P-256, valid for ten years.
// Every certificate names DNS "cairn", DNS "localhost", this host, 127.0.0.1 and ::1, and serves on
// both sides of a connection. Not a general authority: no revocation, no renewal.
#pragma once

#include <string>

#include "common/status.h"
#include "rpc/tls.h"

namespace cairn {

// Makes the directory (mode 0700) and the authority unless it is already there.
Status EnsureAuthority(const std::string& directory, const std::string& common_name);

// Makes NAME.crt and NAME.key unless both are there. kNotFound: the directory has no authority.
Result<TlsFiles> EnsureCertificate(const std::string& directory, const std::string& name,
                                   const std::string& common_name);

// The paths alone.
TlsFiles CertificateFiles(const std::string& directory, const std::string& name);

}  // namespace cairn
