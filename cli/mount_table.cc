#include "cli/mount_table.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/dev/process.h"

namespace cairn {

namespace {
// The kernel writes blank, tab, newline and backslash as three octal digits.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool IsAbove(const std::string& directory, const std::string& path) {
  if (directory == "/" || directory == path) return true;
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}
}  // namespace

std::vector<MountEntry> ParseMountInfo(std::string_view text) {
  std::vector<MountEntry> mounts;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    std::istringstream left(line.substr(0, separator));
    std::istringstream right(line.substr(separator + 3));
    std::string id, parent, device, root;
    MountEntry entry;
    if (left >> id >> parent >> device >> root >> entry.mount_point &&
        right >> entry.type >> entry.source) {
      entry.mount_point = Unescape(entry.mount_point);
      entry.source = Unescape(entry.source);
      mounts.push_back(std::move(entry));
    }
  }
  return mounts;
}

std::vector<MountEntry> ListMounts() {
  std::ifstream file("/proc/self/mountinfo");
  return ParseMountInfo(std::string(std::istreambuf_iterator<char>(file), {}));
}

const MountEntry* MountOf(const std::vector<MountEntry>& mounts, const std::string& path) {
  const MountEntry* best = nullptr;
  for (const MountEntry& mount : mounts) {
    if (IsAbove(mount.mount_point, path) &&
        (best == nullptr || mount.mount_point.size() >= best->mount_point.size())) {
      best = &mount;
    }
  }
  return best;
}

const MountEntry* MountAt(const std::vector<MountEntry>& mounts, const std::string& mount_point) {
  const MountEntry* mount = MountOf(mounts, mount_point);
  return mount != nullptr && mount->mount_point == mount_point ? mount : nullptr;
}

std::string EscapeMountWord(std::string_view word) {
  std::string text;
  for (const char c : word) {
    if (c == ',' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::vector<std::string> SplitMountWords(std::string_view text) {
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

bool MountAnswers(const std::string& mount_point, Duration time) {
  const auto answer = RunApart(
      [&] {
        struct statfs space {};
        struct stat root {};
        return ::statfs(mount_point.c_str(), &space) == 0 && ::stat(mount_point.c_str(), &root) == 0
                   ? 0
                   : 1;
      },
      time);
  return answer.has_value() && *answer == 0;
}

Status Unmount(const std::string& mount_point, bool lazy, Duration time) {
  const bool root = ::geteuid() == 0;
  const char* const arguments[] = {"fusermount3",       "-u",   lazy ? "-z" : "-q", "--",
                                   mount_point.c_str(), nullptr};
  const auto answer = RunApart(
      [&] {
        if (root) {
          const int flags = UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0);
          return ::umount2(mount_point.c_str(), flags) == 0 ? 0 : errno;
        }
        ::execvp(arguments[0], const_cast<char* const*>(arguments));
        return errno;
      },
      time);
  RETURN_IF_ERROR(answer);
  if (*answer == 0) return OkStatus();
  // fusermount3 has one exit code for all failures; by far the most common is an open file.
  const int error = root ? *answer : EBUSY;
  if (error == EBUSY) {
    return Status::Error(ErrorCode::kBusy, "{} cannot be unmounted: files are open there",
                         mount_point);
  }
  return Status::FromErrno(error, "unmount " + mount_point);
}

}  // namespace cairn
