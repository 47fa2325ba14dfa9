#include <map>

#include "cli/admin_client.h"
#include "cli/local_file.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct WhereOptions {
  ClusterOptions cluster;
  std::string path;
};

const char* MemberStateName(v1::MemberState state) {
  return state == v1::MEMBER_ACTIVE ? "active" : "syncing";
}

// Symbolic links and the like have none.
std::string LayoutText(const v1::WhereResponse& where) {
  if (where.copies() == 0) return "no chunks";
  return fmt::format("chunks of {}, {}", FormatBytes(where.layout().chunk_size()),
                     CopiesText(where.copies()));
}

void PrintWhere(const WhereOptions& options, const v1::WhereResponse& where,
                const Console& console) {
  std::map<uint32_t, std::string> addresses;
  for (const auto& server : where.servers()) {
    addresses[server.server()] =
        fmt::format("{}:{}", server.frames().host(), server.frames().port());
  }
  console.out << fmt::format("{}: inode {}, {}, {}\n", options.path, where.attributes().inode(),
                             FormatBytes(where.attributes().size()), LayoutText(where));
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
  UseClusterOf(file, options.cluster);
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
