#include "fuse_client/mount_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <optional>

#include "rpc/address.h"

namespace cairn {

namespace {

constexpr uint16_t kMetaserverPort = 7400;

// For mount(8), systemd and the kernel's generic flags that a helper need not act on.
bool IsForOthers(std::string_view word) {
  constexpr std::array kWords = {"_netdev", "nofail",  "auto",  "noauto",  "user",     "nouser",
                                 "users",   "defaults", "rw",   "exec",    "suid",     "dev",
                                 "async",   "relatime", "atime", "strictatime", "group", "owner"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end() ||
         word.substr(0, 2) == "x-" || word.substr(0, 8) == "comment=";
}

bool IsForKernel(std::string_view word) {
  constexpr std::array kWords = {"allow_other", "nosuid", "nodev", "noexec", "noatime", "sync",
                                 "dirsync"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// "60", "60s", "500ms", "2m".
std::optional<Duration> ParseDuration(std::string_view text) {
  int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0 || count > 1'000'000) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "s") return std::chrono::seconds(count);
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "m") return std::chrono::minutes(count);
  return std::nullopt;
}

Status SetTimeout(MountArguments& arguments, std::string_view value) {
  std::optional<Duration> timeout = ParseDuration(value);
  if (!timeout.has_value() || *timeout < std::chrono::seconds(1)) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "timeout={} is not a time of a second or more (60s, 2m)", value);
  }
  arguments.mount.timeout = *timeout;
  return OkStatus();
}

Status SetClose(MountArguments& arguments, std::string_view value) {
  if (value != "close") {
    return Status::Error(ErrorCode::kInvalidArgument, "sync={} is unknown; sync=close is", value);
  }
  arguments.mount.sync_close = true;
  return OkStatus();
}

Status ApplySetting(MountArguments& arguments, std::string_view name, std::string_view value) {
  if (name == "timeout") return SetTimeout(arguments, value);
  if (name == "sync") return SetClose(arguments, value);
  const std::map<std::string_view, std::string*> texts = {
      {"ca", &arguments.tls.ca},
      {"cert", &arguments.tls.certificate},
      {"key", &arguments.tls.key},
      {"log", &arguments.log.file},
      {"log_level", &arguments.log.level},
      {"client_id", &arguments.mount.client_id},
      {"cluster_id", &arguments.mount.cluster_id},
  };
  auto text = texts.find(name);
  if (text == texts.end()) {
    return Status::Error(ErrorCode::kInvalidArgument, "unknown mount option '{}'", name);
  }
  text->second->assign(value);
  return OkStatus();
}

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      words.emplace_back();
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    words.back() += text[i];
  }
  return words;
}

Status ApplyWord(MountArguments& arguments, std::string_view word) {
  if (word.empty() || IsForOthers(word)) return OkStatus();
  size_t equals = word.find('=');
  std::string name(word.substr(0, equals));
  std::replace(name.begin(), name.end(), '-', '_');
  if (equals != std::string_view::npos) {
    return ApplySetting(arguments, name, word.substr(equals + 1));
  }
  if (name == "no_unix") {
    arguments.mount.allow_unix = false;
  } else if (name == "no_local_reads") {
    arguments.mount.local_reads = false;
  } else if (name == "ro") {
    arguments.mount.read_only = true;
    arguments.kernel.emplace_back("ro");
  } else if (IsForKernel(name)) {
    arguments.kernel.push_back(name);
  } else {
    return Status::Error(ErrorCode::kInvalidArgument, "unknown mount option '{}'", word);
  }
  return OkStatus();
}

}  // namespace

Result<MountArguments> ParseMountArguments(std::string_view source, std::string_view options) {
  MountArguments arguments;
  for (const std::string& word : SplitWords(source)) {
    ASSIGN_OR_RETURN(Address address, ParseAddress(word, kMetaserverPort));
    arguments.mount.metaservers.push_back(std::move(address));
  }
  for (const std::string& word : SplitWords(options)) {
    RETURN_IF_ERROR(ApplyWord(arguments, word));
  }
  return arguments;
}

void ResolvePaths(MountArguments& arguments, const std::filesystem::path& directory) {
  for (std::string* path : {&arguments.tls.ca, &arguments.tls.certificate, &arguments.tls.key,
                            &arguments.log.file}) {
    if (!path->empty()) *path = (directory / *path).string();
  }
}

}  // namespace cairn
