#include "cli/admin_client.h"
#include "cli/quantities.h"
#include "cli/repair_text.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr int kFirstGroups = 20;

struct RepairLsOptions {
  ClusterOptions cluster;
  bool all = false;
};

void PrintRecord(const v1::RepairRecord& repair, const Console& console) {
  if (IsUnderWay(repair)) {
    console.out << RepairParagraph(repair)
                << fmt::format("done: {} of {}\n", FormatBytes(repair.done_bytes()),
                               FormatBytes(repair.total_bytes()));
  } else if (repair.has_ended()) {
    console.out << fmt::format(
        "no repair is under way; the last: {} to {}, {} groups, "
        "{} brought up to date\n",
        LocalTime(repair.started().seconds()), LocalTime(repair.ended().seconds()),
        repair.groups_total(), FormatBytes(repair.done_bytes()));
  } else {
    console.out << "no repair is under way, and there was none\n";
  }
}

void PrintGroups(const v1::GetRepairResponse& repair, int most, const Console& console) {
  Table table({"GROUP", "COPIES", "BYTES", "TO", "PROGRESS"});
  const int shown = std::min(most, repair.groups_size());
  for (int i = 0; i < shown; ++i) {
    const v1::GroupRepair& group = repair.groups(i);
    table.Add({std::to_string(group.group()), fmt::format("{}/{}", group.active(), group.wanted()),
               FormatBytes(group.bytes()),
               group.member() == 0 ? "-" : fmt::format("server {}", group.member()),
               GroupProgress(group)},
              group.active() <= 1 && group.wanted() > 1 ? Colour::kBad : Colour::kNone);
  }
  if (table.empty()) return;
  console.out << "\n";
  table.Print(console);
  if (shown < repair.groups_size()) {
    console.out << fmt::format("and {} more (--all)\n", repair.groups_size() - shown);
  }
}

Result<ExitCode> ListRepair(const RepairLsOptions& options, const Console& console) {
  v1::GetRepairResponse repair;
  ASSIGN_OR_RETURN(const bool led,
                   AskCluster(options.cluster, "GetRepair", v1::GetRepairRequest(), repair));
  if (options.cluster.json) {
    std::string json = ToJson(repair);
    json.pop_back();
    console.out << json << fmt::format(",\"from_leader\":{}}}\n", led);
    return ExitCode::kOk;
  }
  PrintRecord(repair.repair(), console);
  PrintGroups(repair, options.all ? repair.groups_size() : kFirstGroups, console);
  if (!led) console.out << "which groups are short of copies is not known without a leader\n";
  return ExitCode::kOk;
}
}  // namespace

void AddRepairLsVerb(CLI::App& repair, Action& chosen) {
  CLI::App& verb =
      *repair.add_subcommand("ls", "How the repair stands, and which groups are short of copies");
  auto options = std::make_shared<RepairLsOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_flag("--all", options->all, "All groups, not the first 20; JSON always has all");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ListRepair(*options, console); };
  });
}

}  // namespace cairn
