#include <algorithm>
#include <map>

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
};

// Taken before the order, by server id.
struct Before {
  uint64_t order = 0;     // what the server had answered: it is done when that is at least one more
  uint64_t unmended = 0;  // of earlier passes
};
using Orders = std::map<uint32_t, Before>;

uint64_t Unmended(const v1::ScrubProgress& scrub) {
  return scrub.found_blocks() - std::min(scrub.mended_blocks(), scrub.found_blocks());
}

Result<Orders> OrdersNow(const ScrubStartOptions& options) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options.cluster));
  Orders orders;
  for (const auto& server : fleet.status.chunkservers()) {
    const bool meant = options.server == 0 || options.server == server.server();
    if (!meant || !server.up()) continue;
    orders[server.server()] = {server.scrub().order(), Unmended(server.scrub())};
  }
  return orders;
}

struct ScrubLook {
  bool done = true;
  std::string text;
  uint64_t unmended = 0;
};

ScrubLook LookAtScrub(const Fleet& fleet, const Orders& orders) {
  ScrubLook look;
  for (const auto& [id, before] : orders) {
    const v1::ChunkserverStatus* server = FindChunkserver(fleet.status, id);
    if (server == nullptr) continue;  // it was removed
    const bool scrubbed = IsScrubbed(*server, before.order + 1);
    look.done = look.done && scrubbed;
    const v1::ScrubProgress& scrub = server->scrub();
    look.unmended += Unmended(scrub) - std::min(before.unmended, Unmended(scrub));
    look.text += fmt::format("{}server {}: {}", look.text.empty() ? "" : "; ", id,
                             scrubbed || scrub.running() ? ScrubPassText(scrub) : "waits");
  }
  look.done = look.done && fleet.led;
  return look;
}

Result<ExitCode> AwaitScrub(const ScrubStartOptions& options, const Orders& orders,
                            const Console& console) {
  const Interruption interruption;
  const SystemClock clock;
  ProgressLine progress(console, clock, console.colour && !options.cluster.json);
  do {
    const Result<Fleet> fleet = FetchFleet(options.cluster);
    if (!fleet.has_value() && !client::IsTransient(fleet.error().code())) {
      return Fail(fleet.error());
    }
    if (!fleet.has_value()) continue;
    const ScrubLook look = LookAtScrub(*fleet, orders);
    if (look.done) {
      progress.Clear();
      console.out << (options.cluster.json
                          ? fmt::format("{{\"done\":true,\"unmended\":{}}}", look.unmended)
                          : look.text)
                  << "\n";
      return look.unmended == 0 ? ExitCode::kOk : ExitCode::kPartial;
    }
    if (!options.cluster.json) progress.Show(look.text);
    if (!console.out.good()) return ExitCode::kFailed;  // nobody reads on
  } while (!interruption.Rest(kScrubLook));
  return Fail(ErrorCode::kCancelled, "interrupted; the scrub goes on");
}

Result<ExitCode> StartScrub(const ScrubStartOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Orders orders, OrdersNow(options));
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::StartScrubRequest request;
  request.set_server(options.server);
  v1::StartScrubResponse response;
  RETURN_IF_ERROR(client.CallLeader("StartScrub", request, response, Deadline::After(kChangeTime)));
  if (options.wait) return AwaitScrub(options, orders, console);
  console.out << (options.cluster.json ? ToJson(request)
                                       : (options.server == 0
                                              ? "every server reads all it stores now"
                                              : fmt::format("server {} reads all it stores now",
                                                            options.server)))
              << "\n";
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
  verb.add_flag("--wait", options->wait, "Until all is read; exit code 7 if not all is mended");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return StartScrub(*options, console); };
  });
}

}  // namespace cairn
