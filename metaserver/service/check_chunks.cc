#include "metaserver/service/check_chunks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cairn/v1/methods.pb.h"

namespace cairn {
namespace {
constexpr size_t kMostPagesWaiting = 8;
constexpr Duration kPageTime = std::chrono::seconds(30);  // whatever the caller would wait

Status StoppingStatus() {
  return Status(ErrorCode::kUnavailable, "this metaserver is stopping");
}
}  // namespace

CheckChunksService::~CheckChunksService() {
  Stop();
}

void CheckChunksService::Register(Dispatcher& dispatcher) {
  dispatcher.Handle<v1::CheckChunksRequest, v1::CheckChunksResponse>(
      v1::ADMIN_CHECK_CHUNKS, [this](const PageCall& call) { Ask(call); });
}

void CheckChunksService::Start() {
  thread_ = Thread("chunk-check", [this] { Run(); });
}

void CheckChunksService::Stop() {
  std::deque<PageCall> dropped;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    dropped.swap(waiting_);
  }
  for (const PageCall& call : dropped) call.Fail(StoppingStatus());
  thread_.Join();
}

void CheckChunksService::Ask(const PageCall& call) {
  Status refused;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) {
      refused = StoppingStatus();
    } else if (waiting_.size() >= kMostPagesWaiting) {
      refused = Status(ErrorCode::kBusy, "too many others compare chunks just now");
    } else {
      waiting_.push_back(call);
    }
  }
  if (!refused.ok()) call.Fail(refused);
}

void CheckChunksService::Run() {
  while (true) {
    std::optional<PageCall> call;
    {
      absl::MutexLock lock(&mu_);
      auto awake = [this] {
        mu_.AssertReaderHeld();
        return stopping_ || !waiting_.empty();
      };
      mu_.Await(absl::Condition(&awake));
      if (stopping_) return;
      call = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const Duration time = std::min(kPageTime, call->deadline().Left());
    call->Finish(check_.Page(call->request(), Deadline::After(time)));
  }
}

}  // namespace cairn
