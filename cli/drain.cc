#include <optional>

#include "cli/admin_client.h"
#include "cli/chunkservers.h"
#include "cli/interruption.h"
#include "cli/progress_line.h"
#include "cli/repair_text.h"
#include "cli/verb.h"
#include "client/backoff.h"

namespace cairn {

namespace {
constexpr Duration kDrainLook = std::chrono::milliseconds(500);

struct DrainOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
  bool wait = false;
  std::optional<int> timeout_s;  // none: until it is empty
};

struct DrainLook {
  bool known = false;  // a leader told; the rest is of no use otherwise
  bool listed = false;
  v1::ServerState state = v1::SERVER_DRAINING;
  uint32_t groups = 0;
  v1::GetRepairResponse repair;
};

// A leader that has just begun or is about to end lists no server at all.
void ReadLook(const v1::GetStatusResponse& status, uint32_t server, DrainLook& look) {
  look.known = !status.chunkservers().empty();
  const v1::ChunkserverStatus* found = FindChunkserver(status, server);
  look.listed = found != nullptr;
  if (!look.listed) return;
  look.state = found->state();
  look.groups = found->active_groups() + found->syncing_groups();
}

Result<DrainLook> LookAtDrain(AdminClient& client, uint32_t server) {
  DrainLook look;
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Result<Answers> answers =
      AskBest(client, {"GetStatus", &request, &type}, Deadline::After(kSurveyTime));
  if (!answers.has_value() && !client::IsTransient(answers.error().code()))
    return Fail(answers.error());
  if (!answers.has_value() || !answers->best().Leads()) return look;
  ReadLook(static_cast<const v1::GetStatusResponse&>(*answers->best().answer), server, look);
  if (look.groups == 0) return look;
  // Only for words: without it the look is still good.
  const Status told = client.CallAt(answers->best().address, "GetRepair", v1::GetRepairRequest(),
                                    look.repair, Deadline::After(kSurveyTime));
  if (!told.ok()) look.repair.Clear();
  return look;
}

std::string DrainText(uint32_t server, const DrainLook& look) {
  if (!look.known) return fmt::format("server {}: no leader answers", server);
  std::string text = fmt::format("server {}: {} groups left on it", server, look.groups);
  const v1::RepairRecord& repair = look.repair.repair();
  if (IsUnderWay(repair)) text += "; " + PaceText(repair);
  const std::string why = WhyNothingMoves(look.repair);
  return why.empty() ? text : text + "; nothing moves: " + why;
}

std::string DrainJson(uint32_t server, const DrainLook& look) {
  const v1::RepairRecord& repair = look.repair.repair();
  const bool moving = IsUnderWay(repair);
  return fmt::format(
      "{{\"server\":{},\"groups_left\":{},\"bytes_left\":\"{}\",\"seconds_left\":\"{}\","
      "\"waits\":{}}}",
      server, look.known ? std::to_string(look.groups) : "null",
      moving ? RepairBytesLeft(repair) : 0, moving ? repair.seconds_left() : 0,
      QuoteJson(look.known ? WhyNothingMoves(look.repair) : "no leader answers"));
}

// Somebody else may have changed it meanwhile.
Status CheckStillDraining(uint32_t server, const DrainLook& look) {
  if (!look.known) return OkStatus();
  if (!look.listed) return Status::Error(ErrorCode::kNotFound, "there is no server {}", server);
  if (look.state == v1::SERVER_DRAINING) return OkStatus();
  return Status::Error(ErrorCode::kNoData, "server {} is not draining any more", server);
}

Result<ExitCode> TellEmpty(const DrainOptions& options, const DrainLook& look,
                           const Console& console) {
  console.out << (options.cluster.json ? DrainJson(options.server, look)
                                       : fmt::format("server {} is empty", options.server))
              << "\n";
  return ExitCode::kOk;
}

Deadline DrainDeadline(const DrainOptions& options) {
  if (!options.timeout_s) return Deadline::After(std::chrono::years(10));
  return Deadline::After(std::chrono::seconds(*options.timeout_s));
}

Result<ExitCode> AwaitEmpty(AdminClient& client, const DrainOptions& options,
                            const Console& console) {
  const bool json = options.cluster.json;
  const Deadline deadline = DrainDeadline(options);
  const Interruption interruption;
  const SystemClock clock;
  ProgressLine progress(console, clock, console.colour && !json);
  do {
    ASSIGN_OR_RETURN(const DrainLook look, LookAtDrain(client, options.server));
    RETURN_IF_ERROR(CheckStillDraining(options.server, look));
    if (look.known && look.groups == 0) {
      progress.Clear();
      return TellEmpty(options, look, console);
    }
    const std::string text = DrainText(options.server, look);
    progress.Show(json ? DrainJson(options.server, look) : text);
    if (deadline.Passed()) {
      return Fail(ErrorCode::kDeadlineExceeded, "{}; the drain goes on", text);
    }
    if (!console.out.good()) return ExitCode::kFailed;  // nobody reads on
  } while (!interruption.Rest(std::min(kDrainLook, deadline.Left())));
  return Fail(ErrorCode::kCancelled, "interrupted; the drain of server {} goes on", options.server);
}

Result<ExitCode> Drain(const DrainOptions& options, const Console& console) {
  v1::SetServerRequest request;
  request.set_server(options.server);
  request.set_state(v1::SERVER_DRAINING);
  if (!options.wait) {
    return ChangeServer(options.cluster, request,
                        fmt::format("server {} is draining", options.server), console);
  }
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::SetServerResponse response;
  RETURN_IF_ERROR(client.CallLeader("SetServer", request, response, Deadline::After(kChangeTime)));
  return AwaitEmpty(client, options, console);
}
}  // namespace

void AddServerDrainVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand(
      "drain", "Moves all copies from a chunkserver to others; 'undrain' stops it");
  auto options = std::make_shared<DrainOptions>();
  AddClusterOptions(verb, options->cluster);
  AddServerArgument(verb, options->server);
  CLI::Option* wait = verb.add_flag("--wait", options->wait, "Until it is empty, with progress");
  verb.add_option("--timeout", options->timeout_s, "Seconds to wait; as long as it takes otherwise")
      ->needs(wait)
      ->check(CLI::Range(1, 31536000));
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Drain(*options, console); };
  });
}

}  // namespace cairn
