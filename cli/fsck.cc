#include <map>
#include <set>
#include <string>

#include "cli/admin_client.h"
#include "cli/interruption.h"
#include "cli/progress_line.h"
#include "cli/verb.h"

namespace cairn {

namespace {
// A page waits for chunkservers that do not answer.
constexpr Duration kFsckTry = std::chrono::seconds(30);
constexpr Duration kFsckPageTime = std::chrono::seconds(70);

struct FsckOptions {
  ClusterOptions cluster;
  bool repair = false;
};

void AddPage(const v1::CheckChunksResponse& page, v1::CheckChunksResponse& all) {
  all.mutable_findings()->MergeFrom(page.findings());
  all.set_next_inode(page.next_inode());
  all.set_end(page.end());
  all.set_chunks_seen(all.chunks_seen() + page.chunks_seen());
  std::set<uint32_t> silent(all.silent_servers().begin(), all.silent_servers().end());
  silent.insert(page.silent_servers().begin(), page.silent_servers().end());
  all.mutable_silent_servers()->Assign(silent.begin(), silent.end());
}

// Surplus copies go by themselves.
bool IsWrong(const v1::ChunkFinding& finding) {
  return finding.code() != "SURPLUS" && !finding.set_aside();
}

std::string Seen(const v1::CheckChunksResponse& all) {
  return fmt::format("{} stored chunks looked at", all.chunks_seen());
}

// "2 ORPHAN (8.0 KiB, 1 set aside), 1 MISSING"
std::string CountsText(const v1::CheckChunksResponse& all) {
  struct Count {
    uint64_t chunks = 0, bytes = 0, set_aside = 0;
  };
  std::map<std::string, Count> counts;
  for (const v1::ChunkFinding& finding : all.findings()) {
    Count& count = counts[finding.code()];
    ++count.chunks;
    count.bytes += finding.bytes();
    count.set_aside += finding.set_aside() ? 1 : 0;
  }
  std::string text;
  for (const auto& [code, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count.chunks, code);
    if (count.bytes == 0) continue;
    text += fmt::format(" ({}", FormatBytes(count.bytes));
    if (count.set_aside > 0) text += fmt::format(", {} set aside", count.set_aside);
    text += ")";
  }
  return text;
}

std::string PathText(const v1::ChunkFinding& finding) {
  const std::string path = finding.path().empty() ? "-" : finding.path();
  return finding.and_more() ? path + " (and more chunks of this file)" : path;
}

void PrintFindings(const v1::CheckChunksResponse& all, const Console& console) {
  Table table({"CODE", "CHUNK", "SERVER", "GROUP", "BYTES", "DONE", "PATH"});
  for (const v1::ChunkFinding& finding : all.findings()) {
    table.Add({finding.code(), fmt::format("{}/{}", finding.inode(), finding.index()),
               std::to_string(finding.server()), std::to_string(finding.group()),
               finding.bytes() == 0 ? "-" : FormatBytes(finding.bytes()),
               finding.set_aside() ? "set aside" : "-",
               PathText(finding)},
              IsWrong(finding) ? Colour::kBad : Colour::kNone);
  }
  if (!table.empty()) table.Print(console);
}

void PrintSummary(const v1::CheckChunksResponse& all, bool repair, const Console& console) {
  PrintFindings(all, console);
  for (const uint32_t server : all.silent_servers()) {
    console.out << fmt::format("chunkserver {} did not answer: what it stores was not looked at\n",
                               server);
  }
  const std::string counts = CountsText(all);
  console.out << Seen(all) << ": " << (counts.empty() ? "nothing found" : counts) << "\n";
  const bool orphans = counts.find("ORPHAN") != std::string::npos;
  if (orphans && !repair) {
    console.out << "--repair sets ORPHAN chunks aside; they are deleted a day later\n";
  }
}

ExitCode ExitOf(const v1::CheckChunksResponse& all) {
  bool wrong = !all.silent_servers().empty();
  for (const v1::ChunkFinding& finding : all.findings()) wrong = wrong || IsWrong(finding);
  return wrong ? ExitCode::kPartial : ExitCode::kOk;
}

// All pages; what is found is in `all` also when something comes in between.
Status CheckAll(AdminClient& client, const FsckOptions& options, const Console& console,
                v1::CheckChunksResponse& all) {
  const Interruption interruption;
  const SystemClock clock;
  ProgressLine progress(console, clock, console.colour);
  v1::CheckChunksRequest request;
  request.set_repair(options.repair);
  while (true) {
    v1::CheckChunksResponse page;
    RETURN_IF_ERROR(client.CallLeader("CheckChunks", request, page,
                                      Deadline::After(kFsckPageTime), kFsckTry));
    AddPage(page, all);
    if (page.end()) return OkStatus();
    if (page.next_inode() <= request.after_inode()) {
      return Status(ErrorCode::kInternal, "the metaserver does not get any further");
    }
    request.set_after_inode(page.next_inode());
    if (!options.cluster.json) {
      progress.Show(fmt::format("{}, up to inode {}; {} findings", Seen(all), page.next_inode(),
                                all.findings_size()));
    }
    if (interruption.Rest(Duration::zero())) {
      return Status::Error(ErrorCode::kCancelled, "interrupted after inode {}", page.next_inode());
    }
  }
}

Result<ExitCode> Fsck(const FsckOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::CheckChunksResponse all;
  const Status checked = CheckAll(client, options, console, all);
  // What was found, and set aside, is told whatever came in between.
  if (options.cluster.json) {
    console.out << ToJson(all) << "\n";
  } else if (checked.ok() || !all.findings().empty()) {
    PrintSummary(all, options.repair, console);
  }
  RETURN_IF_ERROR(checked);
  return ExitOf(all);
}
}  // namespace

void AddFsckVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand(
      "fsck", "Compares what chunkservers store with the files there are; changes nothing");
  auto options = std::make_shared<FsckOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_flag("--repair", options->repair,
                "Set chunks that belong to no file aside; they are deleted a day later");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Fsck(*options, console); };
  });
}

}  // namespace cairn
