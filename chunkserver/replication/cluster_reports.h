// What replication tells the metaserver. ClusterLink does it over gRPC; tests stand in for it.
#pragma once

#include <string>

#include "cairn/v1/cluster.pb.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class ClusterReports {
 public:
  virtual ~ClusterReports() = default;

  // `accused` did not finish an ordered write (rule C7). Blocks until answered or given up; for
  // worker threads. Reporting is best effort: the metaserver hears silence by itself.
  virtual void ReportMember(PgId group, Epoch epoch, ServerId accused, v1::MemberFault fault,
                            const std::string& reason) = 0;

  // `member` equals its primary, this server, and has everything on disk (rule C4). On success the
  // group table already knows the new epoch. kUnavailable, kDeadlineExceeded: it may or may not
  // have happened.
  virtual Status MemberSynced(PgId group, Epoch epoch, ServerId member,
                              Incarnation incarnation) = 0;
};

}  // namespace cairn
