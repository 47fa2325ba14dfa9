// The primary's side of one member's catch-up: which chunks the member already equals, and
// therefore which writes it is sent. A chunk is compared with no write in flight; before that its
// writes are not sent but remembered, so that it is compared (again) afterwards; after that every
// write goes to the member in order.
#pragma once

#include <optional>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// Thread-safe.
class Attachment {
 public:
  Attachment(Epoch epoch, ServerId member) : epoch_(epoch), member_(member) {}

  Epoch epoch() const { return epoch_; }
  ServerId member() const { return member_; }

  enum class Take {
    kNo,
    kCounted,  // sent, and SendEnded() must follow
    kPledged,  // sent, as to an active member
  };
  // A write to `id` is being ordered: does the member get it?
  Take TakeWrite(ChunkId id);
  void SendEnded(bool ok);
  // REQUIRES: the chunk is held and equal on both sides.
  void MarkCompared(ChunkId id);
  // A write to `id` that is on this disk is about to be answered. True: pledged, the member must
  // have it first. Otherwise a chunk that is not compared yet will be: the write may have been
  // ordered before this catch-up began, and have made the chunk after the catch-up listed them.
  bool MustHave(ChunkId id);
  // The chunk changed here in a way the member was not told of: compare it again.
  void Touch(ChunkId id);
  std::optional<ChunkId> NextMissed() const;

  // Succeeds when no chunk is left to compare. From then on every write goes to the member, and it
  // counts as one that must have a write or an fsync before either is answered: it may be made
  // active at any moment (rules C4, C7).
  bool Pledge();
  bool pledged() const;
  // Waits until the sends made before have been answered. False: not in time, or one failed.
  bool AwaitSends(Deadline deadline);
  bool failed() const;
  void Fail();

 private:
  const Epoch epoch_;
  const ServerId member_;
  mutable absl::Mutex mu_;
  absl::flat_hash_set<ChunkId> compared_ ABSL_GUARDED_BY(mu_);
  std::set<ChunkId> missed_ ABSL_GUARDED_BY(mu_);
  bool pledged_ ABSL_GUARDED_BY(mu_) = false;
  bool failed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t sends_ ABSL_GUARDED_BY(mu_) = 0;  // unanswered, made before the pledge
};

}  // namespace cairn
