#include <filesystem>

#include "cli/mount_table.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr Duration kUnmountTime = std::chrono::seconds(60);

struct UmountOptions {
  std::string mount_point;
  bool lazy = false;
  bool json = false;
};

// Without touching the mount itself, whose client may be dead.
std::string Normalize(const std::string& path) {
  std::string normal = std::filesystem::absolute(path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

Result<ExitCode> Umount(const UmountOptions& options, const Console& console) {
  const std::string mount_point = Normalize(options.mount_point);
  const std::vector<MountEntry> mounts = ListMounts();
  const MountEntry* mount = MountAt(mounts, mount_point);
  if (mount == nullptr || mount->type != kCairnMountType) {
    return Fail(ErrorCode::kNotFound, "{} is not a Cairn mount", options.mount_point);
  }
  RETURN_IF_ERROR(Unmount(mount_point, options.lazy, kUnmountTime));
  if (options.json) console.out << "{\"unmounted\":" << QuoteJson(mount_point) << "}\n";
  return ExitCode::kOk;
}
}  // namespace

void AddUmountVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("umount", "Takes a mount away");
  auto options = std::make_shared<UmountOptions>();
  verb.add_option("mount_point", options->mount_point, "Where it is mounted")->required();
  verb.add_flag("--lazy,-l", options->lazy,
                "Now for new opens, in the end when all files are closed");
  verb.add_flag("--json", options->json, "Answer in JSON");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Umount(*options, console); };
  });
}

}  // namespace cairn
