// What replication tells the metaserver. ClusterLink does it over gRPC; tests stand in for it.
#pragma once

#include <string>
#include <vector>

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

  // This server serves the group from now on in this epoch; `heard` are the leaving members that
  // know it. On success the group table knows that the epoch is activated. kBusy: a leaving member
  // may still serve an older one, or the group has moved on.
  virtual Status ActivateGroup(PgId group, Epoch epoch, const std::vector<ServerId>& heard) = 0;
};

}  // namespace cairn
