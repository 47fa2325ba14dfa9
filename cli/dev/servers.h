// Starting and stopping the servers of a dev cluster.
#pragma once

#include <string>

#include "cli/dev/dev_cluster.h"
#include "common/clock.h"
#include "common/status.h"

namespace cairn {

// The program `name` beside this one. kNotFound names the path.
Result<std::string> SiblingProgram(const std::string& name);

// Starts a server that is down; one that runs (or is paused) is left alone.
Status StartServer(const DevCluster& cluster, const DevMember& member);

// The last lines of the member's log, indented, for an error message.
std::string LogTail(const DevCluster& cluster, const DevMember& member);

// kUnavailable, with the end of its log: the server is down.
Status CheckRuns(const DevCluster& cluster, const DevMember& member);
// The same of all servers.
Status CheckServersRun(const DevCluster& cluster);

// kBusy says how to wake one that is paused.
Status CheckNotPaused(const DevCluster& cluster, const DevMember& member);

// Whether a mount can get rid of what it holds: most metaservers and a chunkserver run, or would if
// they were not paused. What one of several chunkservers held goes to the others.
bool CanWriteBack(const DevCluster& cluster);

// Waits until the cluster is whole: founds it at its first start (AwaitMetaservers, which may have
// to `warn`), and sees every chunkserver up. A server that dies meanwhile ends the waiting.
Status AwaitCluster(DevCluster& cluster, Deadline deadline, const Teller& warn);

// SIGKILL, SIGSTOP or SIGCONT, and waits for its effect. kNotFound: the process is down.
Status SignalMember(const DevCluster& cluster, const DevMember& member, int signal);

// SIGTERM to all servers at once (paused ones are woken), SIGKILL to those that run on after
// `patience`; `tell` hears who is waited for. On return they are down and their pid files gone.
// REQUIRES: no client has anything to write back.
Status StopServers(const DevCluster& cluster, Duration patience, const Teller& tell);

// SIGKILL to all servers. On return they are down and their pid files gone.
Status KillServers(const DevCluster& cluster);

}  // namespace cairn
