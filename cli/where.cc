#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <map>

#include "cli/admin_client.h"
#include "cli/dev/process.h"
#include "cli/mount_table.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct WhereOptions {
  ClusterOptions cluster;
  std::string path;
};

struct LocalFile {
  uint64_t inode = 0;
  std::string mount_source;
};

// A mount whose servers are away would hold us too.
Status CheckAnswers(const std::string& path) {
  const auto answer = RunApart(
      [&] {
        struct stat attributes {};
        return ::lstat(path.c_str(), &attributes) == 0 ? 0 : 1;
      },
      kAskTime);
  if (answer.has_value()) return OkStatus();
  const std::vector<MountEntry> mounts = ListMounts();
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  const MountEntry* mount = MountOf(mounts, absolute);
  // Through a symbolic link it may be any.
  const bool ours = mount != nullptr && mount->type == kCairnMountType;
  return Status::Error(ErrorCode::kUnavailable, "{}: {} does not answer", path,
                       ours ? "the mount at " + mount->mount_point : "it");
}

// The path itself may be a symbolic link and is not followed; what leads to it is.
Result<LocalFile> FindLocalFile(const std::string& path) {
  RETURN_IF_ERROR(CheckAnswers(path));
  struct stat attributes {};
  if (::lstat(path.c_str(), &attributes) != 0) return Fail(Status::FromErrno(errno, path));
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "dir/"
  const auto parent = std::filesystem::canonical(absolute.parent_path(), error);
  if (error) return Fail(ErrorCode::kNotFound, "{}: {}", path, error.message());
  const std::vector<MountEntry> mounts = ListMounts();
  const MountEntry* mount = MountOf(mounts, (parent / absolute.filename()).string());
  if (mount == nullptr || mount->type != kCairnMountType) {
    return Fail(ErrorCode::kInvalidArgument, "{} is not on a Cairn mount", path);
  }
  return LocalFile{attributes.st_ino, mount->source};
}

// The mount knows its cluster best: a dev cluster's client names its sockets, D/run/meta1.sock
// first.
std::string DevDirectoryOfMount(const std::string& source) {
  constexpr std::string_view kScheme = "unix:";
  if (!source.starts_with(kScheme)) return "";
  const std::filesystem::path socket = SplitMountWords(source)[0].substr(kScheme.size());
  const std::string directory = socket.parent_path().parent_path().string();
  return std::filesystem::exists(directory + "/client.toml") ? directory : "";
}

const char* MemberStateName(v1::MemberState state) {
  return state == v1::MEMBER_ACTIVE ? "active" : "syncing";
}

void PrintWhere(const WhereOptions& options, const v1::WhereResponse& where,
                const Console& console) {
  std::map<uint32_t, std::string> addresses;
  for (const auto& server : where.servers()) {
    addresses[server.server()] =
        fmt::format("{}:{}", server.frames().host(), server.frames().port());
  }
  console.out << fmt::format("{}: inode {}, {}, chunks of {}\n", options.path,
                             where.attributes().inode(), FormatBytes(where.attributes().size()),
                             FormatBytes(where.layout().chunk_size()));
  Table table({"CHUNK", "GROUP", "EPOCH", "WRITTEN", "SERVERS"});
  for (const auto& chunk : where.chunks()) {
    std::string servers;
    for (const auto& member : chunk.members()) {
      servers += fmt::format("{}{} ({}, {})", servers.empty() ? "" : "  ", member.server(),
                             addresses[member.server()], MemberStateName(member.state()));
    }
    table.Add({std::to_string(chunk.index()), std::to_string(chunk.group()),
               std::to_string(chunk.epoch()), chunk.written() ? "yes" : "hole", servers});
  }
  if (!table.empty()) table.Print(console);
}

Result<ExitCode> Where(WhereOptions options, const Console& console) {
  ASSIGN_OR_RETURN(const LocalFile file, FindLocalFile(options.path));
  if (options.cluster.directory.empty() && options.cluster.cluster.empty()) {
    options.cluster.directory = DevDirectoryOfMount(file.mount_source);
  }
  v1::WhereRequest request;
  request.set_inode(file.inode);
  v1::WhereResponse response;
  RETURN_IF_ERROR(AskCluster(options.cluster, "Where", request, response));
  if (options.cluster.json) {
    console.out << ToJson(response) << "\n";
  } else {
    PrintWhere(options, response, console);
  }
  return ExitCode::kOk;
}
}  // namespace

void AddWhereVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("where", "Which chunkservers hold the chunks of a file");
  auto options = std::make_shared<WhereOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("path", options->path, "A local path below a mount")->required();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Where(*options, console); };
  });
}

}  // namespace cairn
