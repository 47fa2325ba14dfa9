// How a verb joins the command line. Each Add...Verb() lives in the file named after its verb: it
// declares options and leaves an action that runs when the verb was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "cli/cluster_lookup.h"
#include "cli/disk_target.h"
#include "cli/output.h"
#include "common/exit_code.h"
#include "common/status.h"

namespace cairn {

using Action = std::function<Result<ExitCode>(const Console&)>;

// --dir, --cluster, --tls-dir and --json.
void AddClusterOptions(CLI::App& verb, ClusterOptions& options);

// A chunkserver's or a disk's id as the verb's argument.
void AddServerArgument(CLI::App& verb, DiskTarget& server);
void AddDiskArgument(CLI::App& verb, DiskTarget& disk);

void AddClusterInitVerb(CLI::App& cluster, Action& chosen);
void AddStatusVerb(CLI::App& app, Action& chosen);
void AddHealthVerb(CLI::App& app, Action& chosen);
void AddWhereVerb(CLI::App& app, Action& chosen);
void AddEventsVerb(CLI::App& app, Action& chosen);
void AddFsckVerb(CLI::App& app, Action& chosen);
void AddServerLsVerb(CLI::App& server, Action& chosen);
void AddServerShowVerb(CLI::App& server, Action& chosen);
void AddServerDrainVerb(CLI::App& server, Action& chosen);
void AddServerUndrainVerb(CLI::App& server, Action& chosen);
void AddServerMaintenanceVerb(CLI::App& server, Action& chosen);
void AddServerRemoveVerb(CLI::App& server, Action& chosen);
void AddDiskLsVerb(CLI::App& disk, Action& chosen);
void AddDiskDrainVerb(CLI::App& disk, Action& chosen);
void AddDiskUndrainVerb(CLI::App& disk, Action& chosen);
void AddDiskRemoveVerb(CLI::App& disk, Action& chosen);
void AddRepairLsVerb(CLI::App& repair, Action& chosen);
void AddRepairThrottleVerb(CLI::App& repair, Action& chosen);
void AddRepairNowVerb(CLI::App& repair, Action& chosen);
void AddScrubStartVerb(CLI::App& scrub, Action& chosen);
void AddScrubStatusVerb(CLI::App& scrub, Action& chosen);
void AddScrubSetVerb(CLI::App& scrub, Action& chosen);
void AddLayoutSetVerb(CLI::App& layout, Action& chosen);
void AddLayoutShowVerb(CLI::App& layout, Action& chosen);
void AddPoolSetVerb(CLI::App& pool, Action& chosen);
void AddMetaLsVerb(CLI::App& meta, Action& chosen);
void AddMetaAddVerb(CLI::App& meta, Action& chosen);
void AddMetaRemoveVerb(CLI::App& meta, Action& chosen);
void AddMetaTransferLeaderVerb(CLI::App& meta, Action& chosen);
void AddMetaHashVerb(CLI::App& meta, Action& chosen);
void AddMountVerb(CLI::App& app, Action& chosen);
void AddUmountVerb(CLI::App& app, Action& chosen);
void AddVersionVerb(CLI::App& app, Action& chosen);

void AddDevUpVerb(CLI::App& dev, Action& chosen);
void AddDevDownVerb(CLI::App& dev, Action& chosen);
void AddDevSignalVerbs(CLI::App& dev, Action& chosen);  // kill, pause, resume
void AddDevStartVerb(CLI::App& dev, Action& chosen);
void AddDevAddVerb(CLI::App& dev, Action& chosen);
void AddDevFaultVerb(CLI::App& dev, Action& chosen);

}  // namespace cairn
