#include "metaserver/cluster/cluster_shape.h"

#include "metaserver/placement/chunkserver_of.h"

namespace cairn {
namespace {

bool InMaintenance(const v1::ServerRecord& record, WallTime now) {
  if (record.state() != v1::SERVER_MAINTENANCE) return false;
  const v1::Time& until = record.maintenance_until();
  return now < WallTime{until.seconds(), until.nanoseconds()};
}

}  // namespace

ClusterShape LookAtShape(const MapSnapshot& map, const ServerRegistry& registry, WallTime now) {
  ClusterShape shape{&map.pools, &map.groups, {}, {}, {}};
  for (const auto& [id, record] : map.servers) {
    const ServerCounters counters = registry.Counters(id);
    PlacementTarget& target = shape.targets[id];
    target.id = id;
    target.chunkserver = ChunkserverOf(record);
    target.host = record.host();
    target.rack = record.rack();
    target.view = registry.View(record);
    target.silence = registry.Silence(id);
    target.draining = record.state() == v1::SERVER_DRAINING;
    target.in_maintenance = InMaintenance(record, now);
    target.skip_grace = registry.SkipsGrace(id);
    target.total_bytes = counters.total_bytes;
    target.available_bytes = counters.available_bytes;
    for (const v1::GroupUsage& usage : counters.usage) {
      shape.sizes[PgId(usage.group())] = {usage.chunks(), usage.bytes()};
    }
    for (const v1::CopyProgress& copy : counters.copies) {
      shape.copies[{PgId(copy.group()), ServerId(copy.member())}] = {
          copy.total_bytes(), copy.done_bytes(), copy.throttled()};
    }
  }
  return shape;
}

}  // namespace cairn
