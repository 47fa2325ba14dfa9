// The mount's copy of the cluster map: which server is primary of a chunk's placement group.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "client/metadata_client.h"
#include "common/ids.h"
#include "rpc/address.h"

namespace cairn::client {

struct Route {
  PgId group;
  Epoch epoch;
  ServerId primary;
  Address address;  // of the primary; others may listen there, too
};

// The placement group of chunk `index`: MixBits(seed) + index, spread over the groups of the pool's
// generation that the file was made in. kUnavailable: the pool is not known to have any of it.
Result<PgId> GroupOf(const v1::Layout& layout, const v1::Pool& pool, uint32_t index);

// Thread-safe.
class ClusterMapCache {
 public:
  ClusterMapCache(MetadataClient* metadata, bool allow_unix)
      : metadata_(metadata), allow_unix_(allow_unix) {}

  // From memory only. kUnavailable: not known, or no member of the group is active. kIoError: what
  // the group held was given up as lost.
  Result<Route> Get(const v1::Layout& layout, uint32_t index) const;
  // As Get; fetches the map first if it does not know the pool.
  Result<Route> Locate(const v1::Layout& layout, uint32_t index, Deadline deadline);
  // On return the map is not older than `moment` and has the groups of the layout, which are made
  // on their first use: one fetch serves all who wait for the same ones.
  Status Refresh(BootTime moment, const v1::Layout& layout, Deadline deadline);
  // Takes in a map, or what changed in it.
  void Apply(const v1::ClusterMap& map);

 private:
  bool Knows(const v1::Layout& layout) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  MetadataClient* const metadata_;
  const bool allow_unix_;
  mutable absl::Mutex mu_;
  uint64_t version_ ABSL_GUARDED_BY(mu_) = 0;
  bool fetching_ ABSL_GUARDED_BY(mu_) = false;
  BootTime fresh_at_ ABSL_GUARDED_BY(mu_);  // when the last finished fetch was sent
  absl::flat_hash_map<uint32_t, v1::Pool> pools_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint32_t, v1::PlacementGroup> groups_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint32_t, Address> servers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn::client
