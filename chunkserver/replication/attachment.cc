#include "chunkserver/replication/attachment.h"

#include "chunkserver/replication/seeded_bug.h"
#include "common/await.h"

namespace cairn {

Attachment::Take Attachment::TakeWrite(ChunkId id) {
  absl::MutexLock lock(&mu_);
  if (pledged_) return Take::kPledged;
  if (failed_) return Take::kNo;
  if (!compared_.contains(id)) {
    missed_.insert(id);
    return Take::kNo;
  }
  ++sends_;
  return Take::kCounted;
}

void Attachment::SendEnded(bool ok) {
  absl::MutexLock lock(&mu_);
  if (sends_ > 0) --sends_;
  if (!ok) failed_ = true;
}

void Attachment::MarkCompared(ChunkId id) {
  absl::MutexLock lock(&mu_);
  compared_.insert(id);
  missed_.erase(id);
}

bool Attachment::MustHave(ChunkId id) {
  absl::MutexLock lock(&mu_);
  if (ReplicationBugIs(ReplicationBug::kPledgeForgotten)) return false;
  if (!pledged_ && !compared_.contains(id)) missed_.insert(id);
  return pledged_;
}

void Attachment::Touch(ChunkId id) {
  absl::MutexLock lock(&mu_);
  compared_.erase(id);
  missed_.insert(id);
}

std::optional<ChunkId> Attachment::NextMissed() const {
  absl::MutexLock lock(&mu_);
  if (missed_.empty()) return std::nullopt;
  return *missed_.begin();
}

bool Attachment::Pledge() {
  absl::MutexLock lock(&mu_);
  if (failed_ || !missed_.empty()) return false;
  pledged_ = true;
  return true;
}

bool Attachment::pledged() const {
  absl::MutexLock lock(&mu_);
  return pledged_;
}

bool Attachment::AwaitSends(Deadline deadline) {
  absl::MutexLock lock(&mu_);
  auto answered = [&] {
    mu_.AssertReaderHeld();
    return failed_ || sends_ == 0;
  };
  return AwaitUntil(mu_, absl::Condition(&answered), deadline) && !failed_;
}

bool Attachment::failed() const {
  absl::MutexLock lock(&mu_);
  return failed_;
}

void Attachment::Fail() {
  absl::MutexLock lock(&mu_);
  failed_ = true;
}

}  // namespace cairn
