// The mounts of a dev cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/dev/dev_cluster.h"
#include "common/clock.h"
#include "common/status.h"

namespace cairn {

// The arguments of cairn-fuse after the program: source, mount point, certificates, `options`.
// Source and options are escaped already (EscapeMountWord), certificates are not.
std::vector<std::string> MountArguments(const std::string& source, const std::string& mount_point,
                                        const TlsFiles& tls, const std::string& options);

// Adds mount points to those the cluster keeps; known ones are left alone. They become absolute
// and are made when absent. kBusy: something else is mounted there.
Status RememberMounts(DevCluster& cluster, const std::vector<std::string>& mount_points);

// Serves the client's mount point unless it answers already; what a dead client left mounted is
// taken away first. Returns once the mount answers. kUnavailable quotes the client's log.
Status StartClient(const DevCluster& cluster, const DevMember& client, Deadline deadline);

// Unmounts everything that this cluster serves here through its socket, also what was mounted by
// hand, and ends the clients: they have `patience` to write back what they hold, then they are
// killed; `tell` hears who is waited for. Lazily unmounted where files are open. On return no
// client runs and none of its mounts is left.
Status StopClients(const DevCluster& cluster, Duration patience, const Teller& tell);

// The same without patience: what the clients have not written back is lost.
Status AbandonClients(const DevCluster& cluster);

}  // namespace cairn
