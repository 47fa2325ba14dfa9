// What a dev cluster's processes read: certificates and configuration files.
#pragma once

#include <string>

#include "cli/dev/dev_cluster.h"
#include "common/status.h"

namespace cairn {

std::string MetaserverConfig(const DevCluster& cluster, const DevMember& member);
std::string ChunkserverConfig(const DevCluster& cluster, const DevMember& member);
std::string ClientConfig(const DevCluster& cluster);

// Makes directories, authority and certificates that are missing and writes all configuration files
// anew. Idempotent.
Status WriteServerFiles(const DevCluster& cluster);

}  // namespace cairn
