#include "rpc/address.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

#include "common/boot_id.h"

namespace cairn {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Result<uint16_t> ParsePort(std::string_view digits, std::string_view text) {
  unsigned port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port > 65535) {
    return Fail(ErrorCode::kInvalidArgument, "bad port in address '{}'", text);
  }
  return static_cast<uint16_t>(port);
}

Result<Address> ParseUnix(std::string_view path, std::string_view text) {
  if (path.empty() || path.front() != '/') {
    return Fail(ErrorCode::kInvalidArgument, "address '{}': the socket's path must be absolute",
                text);
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Fail(ErrorCode::kInvalidArgument, "address '{}': a socket's path has at most {} bytes",
                text, sizeof(sockaddr_un::sun_path) - 1);
  }
  Address address;
  address.unix_path = std::string(path);
  return address;
}

Result<Address> ParseBracketed(std::string_view text, uint16_t default_port) {
  size_t close = text.find(']');
  if (close == std::string_view::npos || close == 1) {
    return Fail(ErrorCode::kInvalidArgument, "bad address '{}'", text);
  }
  Address address{std::string(text.substr(1, close - 1)), default_port, ""};
  std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return address;
  if (rest.front() != ':') return Fail(ErrorCode::kInvalidArgument, "bad address '{}'", text);
  ASSIGN_OR_RETURN(address.port, ParsePort(rest.substr(1), text));
  return address;
}

bool IsSocket(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

std::string Address::ToString() const {
  if (!unix_path.empty()) return fmt::format("{}{}", kUnixPrefix, unix_path);
  bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<Address> ParseAddress(std::string_view text, uint16_t default_port) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text.substr(kUnixPrefix.size()), text);
  if (text.find_first_of(" \t\n/") != std::string_view::npos ||
      text.find('\0') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "bad address '{}'", text);
  }
  if (text.starts_with('[')) return ParseBracketed(text, default_port);
  size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "address '{}': write IPv6 as [ADDRESS]:PORT", text);
  }
  Address address{std::string(text.substr(0, colon)), default_port, ""};
  if (address.host.empty()) return Fail(ErrorCode::kInvalidArgument, "no host in '{}'", text);
  if (colon != std::string_view::npos) {
    ASSIGN_OR_RETURN(address.port, ParsePort(text.substr(colon + 1), text));
  }
  return address;
}

Result<std::vector<Address>> ParseAddresses(std::string_view text, uint16_t default_port) {
  std::vector<Address> addresses;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    ASSIGN_OR_RETURN(Address address, ParseAddress(text.substr(begin, end - begin), default_port));
    addresses.push_back(std::move(address));
    begin = end + 1;
  }
  return addresses;
}

Address ChooseAddress(const v1::Endpoint& endpoint, bool allow_unix) {
  Address address;
  if (allow_unix && !endpoint.unix_path().empty() && endpoint.boot_id() == BootId() &&
      IsSocket(endpoint.unix_path())) {
    address.unix_path = endpoint.unix_path();
    return address;
  }
  address.host = endpoint.host();
  address.port = static_cast<uint16_t>(endpoint.port());
  return address;
}

}  // namespace cairn
