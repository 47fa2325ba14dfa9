#include "cli/admin_client.h"
#include "cli/local_file.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct LayoutShowOptions {
  ClusterOptions cluster;
  std::string path;
};

Result<ExitCode> ShowLayout(LayoutShowOptions options, const Console& console) {
  ASSIGN_OR_RETURN(const LocalFile directory, FindLocalFile(options.path));
  RETURN_IF_ERROR(CheckDirectory(options.path, directory));
  UseClusterOf(directory, options.cluster);
  v1::WhereRequest request;
  request.set_inode(directory.inode);
  v1::WhereResponse where;
  RETURN_IF_ERROR(AskCluster(options.cluster, "Where", request, where));
  if (options.cluster.json) {
    console.out << ToJson(where) << "\n";
    return ExitCode::kOk;
  }
  console.out << fmt::format("{}: new files get {}, chunks of {} (pool {}, {})\n", options.path,
                             CopiesText(where.copies()), FormatBytes(where.layout().chunk_size()),
                             where.layout().pool(),
                             where.has_policy() ? "set for it" : "what the cluster gives");
  return ExitCode::kOk;
}
}  // namespace

void AddLayoutShowVerb(CLI::App& layout, Action& chosen) {
  CLI::App& verb = *layout.add_subcommand("show", "What new files of a directory get");
  auto options = std::make_shared<LayoutShowOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("directory", options->path, "A local path below a mount")->required();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ShowLayout(*options, console); };
  });
}

}  // namespace cairn
