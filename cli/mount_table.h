// The mounts of this machine, as the kernel tells them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace cairn {

struct MountEntry {
  std::string mount_point;
  std::string type;    // "fuse.cairn"
  std::string source;  // of ours: what the mount was told, with its escapes
};

inline constexpr std::string_view kCairnMountType = "fuse.cairn";

// The text of /proc/self/mountinfo, later mounts last. Lines that do not parse are left out.
std::vector<MountEntry> ParseMountInfo(std::string_view text);
std::vector<MountEntry> ListMounts();

// The mount that `path` (absolute, no "..") lies on: the longest mount point above it, the last
// one when several are stacked. Null: none.
const MountEntry* MountOf(const std::vector<MountEntry>& mounts, const std::string& path);
// What is mounted exactly there, or null.
const MountEntry* MountAt(const std::vector<MountEntry>& mounts, const std::string& mount_point);

// Sources and options of a mount are words with commas between them: a comma or backslash of a word
// itself has a backslash before it.
std::string EscapeMountWord(std::string_view word);
// The words without escapes; at least one.
std::vector<std::string> SplitMountWords(std::string_view text);

// A statfs and a stat of `mount_point` succeed within `time`. Never hangs, whoever serves it.
bool MountAnswers(const std::string& mount_point, Duration time);

// kBusy: files are open there; with `lazy` it goes away when they are closed. Root or the one who
// mounted it. Never hangs.
Status Unmount(const std::string& mount_point, bool lazy, Duration time);

}  // namespace cairn
