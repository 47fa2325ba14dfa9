#include "cli/chunkservers.h"
#include "cli/verb.h"
#include "common/disk_room.h"

namespace cairn {

namespace {
struct DiskView {
  std::string state = "?";  // OK, NEAR_FULL, FULL
  std::string used = "?";
  Colour colour = Colour::kNone;
};

// A size of 0 has not been told yet.
DiskView ViewDisk(const v1::ChunkserverStatus& server, bool led) {
  if (!led || server.total_bytes() == 0) return {};
  const std::string used = fmt::format("{} %", UsedPercent(server));
  const uint64_t available = server.total_bytes() - UsedBytes(server);
  if (IsFull(server.total_bytes(), available)) return {"FULL", used, Colour::kBad};
  if (IsNearFull(server.total_bytes(), available)) return {"NEAR_FULL", used, Colour::kWarning};
  return {"OK", used, Colour::kNone};
}

std::string DisksJson(const Fleet& fleet) {
  std::string list;
  for (const auto& server : fleet.status.chunkservers()) {
    list += fmt::format(
        "{}{{\"server\":{},\"host\":{},\"total_bytes\":\"{}\",\"used_bytes\":\"{}\","
        "\"state\":{},\"bad_blocks\":\"{}\"}}",
        list.empty() ? "" : ",", server.server(), QuoteJson(server.host()), server.total_bytes(),
        UsedBytes(server), QuoteJson(ViewDisk(server, fleet.led).state), server.checksum_errors());
  }
  return "[" + list + "]";
}

void PrintDisks(const Fleet& fleet, const Console& console) {
  Table table({"SERVER", "HOST", "SIZE", "USED", "STATE", "BAD BLOCKS"});
  for (const auto& server : fleet.status.chunkservers()) {
    const DiskView disk = ViewDisk(server, fleet.led);
    const bool known = disk.used != "?";
    table.Add({std::to_string(server.server()), server.host(),
               known ? FormatBytes(server.total_bytes()) : "?", disk.used, disk.state,
               fleet.led ? std::to_string(server.checksum_errors()) : "?"},
              disk.colour);
  }
  table.Print(console);
}

Result<ExitCode> ListDisks(const ClusterOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options));
  if (options.json) {
    console.out << DisksJson(fleet) << "\n";
  } else {
    PrintDisks(fleet, console);
  }
  return ExitCode::kOk;
}
}  // namespace

void AddDiskLsVerb(CLI::App& disk, Action& chosen) {
  CLI::App& verb = *disk.add_subcommand("ls", "How full each disk is, and what it lost");
  auto options = std::make_shared<ClusterOptions>();
  AddClusterOptions(verb, *options);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ListDisks(*options, console); };
  });
}

}  // namespace cairn
