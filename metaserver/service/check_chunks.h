// Admin.CheckChunks: pages of fsck, on a thread of their own, for they wait for chunkservers.
#pragma once

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/admin.pb.h"
#include "common/thread.h"
#include "metaserver/cluster/chunk_check.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Thread-safe.
class CheckChunksService {
 public:
  using PageCall = Call<v1::CheckChunksRequest, v1::CheckChunksResponse>;

  // `check` outlives it.
  explicit CheckChunksService(ChunkCheck& check) : check_(check) {}
  ~CheckChunksService();  // Stop()s

  // The dispatcher may call it until it is destroyed.
  void Register(Dispatcher& dispatcher);
  void Start();
  // Calls that wait, and later ones, are answered kUnavailable. Waits for the page under way.
  void Stop();

 private:
  void Ask(const PageCall& call);
  void Run();

  ChunkCheck& check_;
  absl::Mutex mu_;
  std::deque<PageCall> waiting_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  Thread thread_;
};

}  // namespace cairn
