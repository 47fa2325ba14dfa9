#include <algorithm>
#include <map>
#include <optional>

#include "cli/admin_client.h"
#include "cli/chunkservers.h"
#include "cli/interruption.h"
#include "cli/progress_line.h"
#include "cli/scrub_text.h"
#include "cli/verb.h"
#include "client/backoff.h"

namespace cairn {

namespace {
constexpr Duration kScrubLook = std::chrono::milliseconds(500);

struct ScrubStartOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
  bool wait = false;
  std::optional<int> timeout_s;  // none: until all is read
};

// By server id: which order it will have answered when it is done.
using ScrubOrders = google::protobuf::Map<uint32_t, uint64_t>;

struct ScrubLook {
  bool known = false;  // a leader told
  bool done = true;    // but for servers that are not up
  bool silent = false;
  uint64_t damaged_chunks = 0;
  std::string text;
};

void AddServer(const v1::ChunkserverStatus& server, uint64_t order, ScrubLook& look) {
  const bool scrubbed = IsScrubbed(server, order);
  look.silent = look.silent || !server.up();
  look.done = look.done && (scrubbed || !server.up());
  look.damaged_chunks += server.damaged_chunks();
  std::string how = ScrubPassText(server.scrub());
  if (!scrubbed && !server.scrub().running()) how = "waits";
  if (!server.up()) how = "not up, it reads all when it is back";
  look.text += fmt::format("{}server {}: {}", look.text.empty() ? "" : "; ", server.server(), how);
}

Result<ScrubLook> LookAtScrub(const ScrubStartOptions& options, const ScrubOrders& orders) {
  ScrubLook look;
  const Result<Fleet> fleet = FetchFleet(options.cluster);
  if (!fleet.has_value() && !client::IsTransient(fleet.error().code())) {
    return Fail(fleet.error());
  }
  look.known = fleet.has_value() && fleet->led;
  look.text = look.known ? "" : "no leader answers";
  for (const auto& [id, order] : std::map<uint32_t, uint64_t>(orders.begin(), orders.end())) {
    const v1::ChunkserverStatus* server =
        look.known ? FindChunkserver(fleet->status, id) : nullptr;
    if (server != nullptr) AddServer(*server, order, look);  // else it was removed
  }
  return look;
}

ExitCode TellScrubbed(const ScrubStartOptions& options, const ScrubLook& look,
                      const Console& console) {
  console.out << (options.cluster.json
                      ? fmt::format("{{\"done\":{},\"damaged_chunks\":{}}}", !look.silent,
                                    look.damaged_chunks)
                      : look.text)
              << "\n";
  return look.silent || look.damaged_chunks > 0 ? ExitCode::kPartial : ExitCode::kOk;
}

Result<ExitCode> AwaitScrub(const ScrubStartOptions& options, const ScrubOrders& orders,
                            const Console& console) {
  const Deadline deadline =
      options.timeout_s ? Deadline::After(std::chrono::seconds(*options.timeout_s))
                        : Deadline::After(std::chrono::years(10));
  const Interruption interruption;
  const SystemClock clock;
  ProgressLine progress(console, clock, console.colour && !options.cluster.json);
  do {
    ASSIGN_OR_RETURN(const ScrubLook look, LookAtScrub(options, orders));
    if (look.known && look.done) {
      progress.Clear();
      return TellScrubbed(options, look, console);
    }
    if (!options.cluster.json) progress.Show(look.text);
    if (deadline.Passed()) {
      return Fail(ErrorCode::kDeadlineExceeded, "{}; the scrub goes on", look.text);
    }
    if (!console.out.good()) return ExitCode::kFailed;  // nobody reads on
  } while (!interruption.Rest(std::min(kScrubLook, deadline.Left())));
  return Fail(ErrorCode::kCancelled, "interrupted; the scrub goes on");
}

std::string OrderedText(uint32_t server) {
  if (server == 0) return "every server reads all it stores now";
  return fmt::format("server {} reads all it stores now", server);
}

Result<ExitCode> StartScrub(const ScrubStartOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::StartScrubRequest request;
  request.set_server(options.server);
  v1::StartScrubResponse response;
  RETURN_IF_ERROR(client.CallLeader("StartScrub", request, response, Deadline::After(kChangeTime)));
  if (options.wait) return AwaitScrub(options, response.orders(), console);
  console.out << (options.cluster.json ? ToJson(response) : OrderedText(options.server)) << "\n";
  return ExitCode::kOk;
}
}  // namespace

void AddScrubStartVerb(CLI::App& scrub, Action& chosen) {
  CLI::App& verb = *scrub.add_subcommand(
      "start", "Reads all that is stored now, as fast as the throttle of repairs allows");
  auto options = std::make_shared<ScrubStartOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("--server", options->server, "Of this one only; of all of them unless given")
      ->check(CLI::PositiveNumber);
  CLI::Option* wait =
      verb.add_flag("--wait", options->wait, "Until all is read; exit code 7 if not all is whole");
  verb.add_option("--timeout", options->timeout_s, "Seconds to wait; as long as it takes otherwise")
      ->needs(wait)
      ->check(CLI::Range(1, 31536000));
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return StartScrub(*options, console); };
  });
}

}  // namespace cairn
