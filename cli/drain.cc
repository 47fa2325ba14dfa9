#include "cli/drain.h"

#include <algorithm>
#include <vector>

#include "cli/admin_client.h"
#include "cli/chunkservers.h"
#include "cli/interruption.h"
#include "cli/progress_line.h"
#include "cli/repair_text.h"
#include "client/backoff.h"

namespace cairn {

namespace {
constexpr Duration kDrainLook = std::chrono::milliseconds(500);

using DiskIds = std::vector<uint32_t>;

struct DrainLook {
  bool known = false;   // a leader told; the rest is of no use otherwise
  bool listed = false;  // some of the disks are
  bool draining = true;  // all of those are
  uint32_t groups = 0;
  v1::GetRepairResponse repair;
};

// A leader that has just begun or is about to end lists no server at all.
void ReadLook(const v1::GetStatusResponse& status, const DiskIds& disks, DrainLook& look) {
  look.known = !status.chunkservers().empty();
  for (const uint32_t disk : disks) {
    const v1::ChunkserverStatus* found = FindChunkserver(status, disk);
    if (found == nullptr) continue;
    look.listed = true;
    look.draining = look.draining && found->state() == v1::SERVER_DRAINING;
    look.groups += found->active_groups() + found->syncing_groups();
  }
}

Result<DrainLook> LookAtDrain(AdminClient& client, const DiskIds& disks) {
  DrainLook look;
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Result<Answers> answers =
      AskBest(client, {"GetStatus", &request, &type}, Deadline::After(kSurveyTime));
  if (!answers.has_value() && !client::IsTransient(answers.error().code()))
    return Fail(answers.error());
  if (!answers.has_value() || !answers->best().Leads()) return look;
  ReadLook(static_cast<const v1::GetStatusResponse&>(*answers->best().answer), disks, look);
  if (look.groups == 0) return look;
  // Only for words: without it the look is still good.
  const Status told = client.CallAt(answers->best().address, "GetRepair", v1::GetRepairRequest(),
                                    look.repair, Deadline::After(kSurveyTime));
  if (!told.ok()) look.repair.Clear();
  return look;
}

std::string DrainText(const DiskTarget& target, const DrainLook& look) {
  if (!look.known) return target.name() + ": no leader answers";
  std::string text = fmt::format("{}: {} groups left on it", target.name(), look.groups);
  const v1::RepairRecord& repair = look.repair.repair();
  if (IsUnderWay(repair)) text += "; " + PaceText(repair);
  const std::string why = WhyNothingMoves(look.repair);
  return why.empty() ? text : text + "; nothing moves: " + why;
}

std::string DrainJson(const DiskTarget& target, const DrainLook& look) {
  const v1::RepairRecord& repair = look.repair.repair();
  const bool moving = IsUnderWay(repair);
  return fmt::format(
      "{{\"{}\":{},\"groups_left\":{},\"bytes_left\":\"{}\",\"seconds_left\":\"{}\","
      "\"waits\":{}}}",
      target.one_disk ? "disk" : "server", target.id,
      look.known ? std::to_string(look.groups) : "null",
      moving ? RepairBytesLeft(repair) : 0, moving ? repair.seconds_left() : 0,
      QuoteJson(look.known ? WhyNothingMoves(look.repair) : "no leader answers"));
}

// Somebody else may have changed it meanwhile.
Status CheckStillDraining(const DiskTarget& target, const DrainLook& look) {
  if (!look.known) return OkStatus();
  if (!look.listed) return Status::Error(ErrorCode::kNotFound, "there is no {}", target.name());
  if (look.draining) return OkStatus();
  return Status::Error(ErrorCode::kNoData, "{} is not draining any more", target.name());
}

Result<ExitCode> TellEmpty(const DrainOptions& options, const DrainLook& look,
                           const Console& console) {
  console.out << (options.cluster.json ? DrainJson(options.target, look)
                                       : options.target.name() + " is empty")
              << "\n";
  return ExitCode::kOk;
}

Deadline DrainDeadline(const DrainOptions& options) {
  if (!options.timeout_s) return Deadline::After(std::chrono::years(10));
  return Deadline::After(std::chrono::seconds(*options.timeout_s));
}

Result<ExitCode> AwaitEmpty(AdminClient& client, const DrainOptions& options,
                            const DiskIds& disks, const Console& console) {
  const bool json = options.cluster.json;
  const Deadline deadline = DrainDeadline(options);
  const Interruption interruption;
  const SystemClock clock;
  ProgressLine progress(console, clock, console.colour && !json);
  do {
    ASSIGN_OR_RETURN(const DrainLook look, LookAtDrain(client, disks));
    RETURN_IF_ERROR(CheckStillDraining(options.target, look));
    if (look.known && look.groups == 0) {
      progress.Clear();
      return TellEmpty(options, look, console);
    }
    const std::string text = DrainText(options.target, look);
    progress.Show(json ? DrainJson(options.target, look) : text);
    if (deadline.Passed()) {
      return Fail(ErrorCode::kDeadlineExceeded, "{}; the drain goes on", text);
    }
    if (!console.out.good()) return ExitCode::kFailed;  // nobody reads on
  } while (!interruption.Rest(std::min(kDrainLook, deadline.Left())));
  return Fail(ErrorCode::kCancelled, "interrupted; the drain of {} goes on",
              options.target.name());
}

}  // namespace

Result<ExitCode> Drain(const DrainOptions& options, const Console& console) {
  v1::SetServerRequest request;
  request.set_state(v1::SERVER_DRAINING);
  if (!options.wait) {
    return ChangeServer(options.cluster, options.target, request, "is draining", console);
  }
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  ASSIGN_OR_RETURN(const DiskIds disks, FetchDisks(client, options.target));
  for (const uint32_t disk : disks) {
    request.set_server(disk);
    v1::SetServerResponse response;
    RETURN_IF_ERROR(
        client.CallLeader("SetServer", request, response, Deadline::After(kChangeTime)));
  }
  return AwaitEmpty(client, options, disks, console);
}

void AddDrainOptions(CLI::App& verb, DrainOptions& options) {
  AddClusterOptions(verb, options.cluster);
  CLI::Option* wait = verb.add_flag("--wait", options.wait, "Until it is empty, with progress");
  verb.add_option("--timeout", options.timeout_s, "Seconds to wait; as long as it takes otherwise")
      ->needs(wait)
      ->check(CLI::Range(1, 31536000));
}

}  // namespace cairn
