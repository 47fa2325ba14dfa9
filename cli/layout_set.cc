#include <sys/stat.h>

#include "cli/admin_client.h"
#include "cli/local_file.h"
#include "cli/quantities.h"
#include "cli/verb.h"
#include "common/ids.h"

namespace cairn {

namespace {
struct LayoutSetOptions {
  ClusterOptions cluster;
  std::string path;
  uint32_t copies = 0;
  std::string chunk_size;
  bool inherit = false;
};

Result<uint32_t> ParseChunkSize(const std::string& text) {
  ASSIGN_OR_RETURN(const uint64_t bytes, ParseSize(text));
  const bool power_of_two = (bytes & (bytes - 1)) == 0;
  if (power_of_two && bytes >= kMinChunkSize && bytes <= kMaxChunkSize) {
    return static_cast<uint32_t>(bytes);
  }
  return Fail(ErrorCode::kInvalidArgument, "--chunk-size {}: a power of two from {}M to {}M", text,
              kMinChunkSize >> 20, kMaxChunkSize >> 20);
}

Result<v1::SetLayoutRequest> MakeRequest(const LayoutSetOptions& options) {
  v1::SetLayoutRequest request;
  request.set_inherit(options.inherit);
  request.set_copies(options.copies);
  if (!options.chunk_size.empty()) {
    ASSIGN_OR_RETURN(const uint32_t bytes, ParseChunkSize(options.chunk_size));
    request.set_chunk_size(bytes);
  }
  const bool sets_something = options.copies != 0 || !options.chunk_size.empty();
  if (sets_something != options.inherit) return request;
  return Fail(ErrorCode::kInvalidArgument,
              "say --copies or --chunk-size or both, or --inherit alone");
}

std::string Told(const LayoutSetOptions& options) {
  if (options.inherit) return options.path + ": new files get what the cluster gives";
  std::string what;
  if (options.copies != 0) what = CopiesText(options.copies);
  if (!options.chunk_size.empty()) {
    what += fmt::format("{}chunks of {}", what.empty() ? "" : ", ", options.chunk_size);
  }
  return fmt::format("{}: new files get {}; existing ones keep what they have", options.path, what);
}

Result<ExitCode> SetLayout(LayoutSetOptions options, const Console& console) {
  ASSIGN_OR_RETURN(v1::SetLayoutRequest request, MakeRequest(options));
  ASSIGN_OR_RETURN(const LocalFile directory, FindLocalFile(options.path));
  RETURN_IF_ERROR(CheckDirectory(options.path, directory));
  UseClusterOf(directory, options.cluster);
  request.set_inode(directory.inode);
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::SetLayoutResponse response;
  RETURN_IF_ERROR(client.CallLeader("SetLayout", request, response, Deadline::After(kChangeTime)));
  console.out << (options.cluster.json ? ToJson(request) : Told(options)) << "\n";
  return ExitCode::kOk;
}
}  // namespace

void AddLayoutSetVerb(CLI::App& layout, Action& chosen) {
  CLI::App& verb = *layout.add_subcommand(
      "set", "What new files and new subdirectories of a directory get from now on");
  auto options = std::make_shared<LayoutSetOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("directory", options->path, "A local path below a mount")->required();
  verb.add_option("--copies", options->copies, "Copies of each chunk")
      ->check(CLI::PositiveNumber);
  verb.add_option("--chunk-size", options->chunk_size, "1M, 2M, 4M ... 64M");
  verb.add_flag("--inherit", options->inherit, "Back to what the cluster gives");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return SetLayout(*options, console); };
  });
}

}  // namespace cairn
