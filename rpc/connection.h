// One connection of a channel and the calls under way on it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "rpc/channel.h"
#include "rpc/frame_reader.h"
#include "rpc/frame_writer.h"
#include "rpc/poller.h"
#include "rpc/stream.h"

namespace cairn {

// Exactly one party reads the socket at a time. It holds the reading role: a blocked caller (the
// leader), or the poller when only asynchronous calls are under way. A leader whose own answer has
// come passes the role on. So a caller that is alone sends and receives on its own thread.
// Thread-safe.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Options {
    std::string peer;  // for messages, and what fault rules match
    v1::Hello hello;
    std::shared_ptr<Poller> poller;
    FaultPlan* faults = nullptr;
  };

  Connection(std::unique_ptr<Stream> stream, Options options);
  ~Connection();

  // Sends our Hello; calls may follow at once, the peer's Hello is awaited by whoever reads.
  Status Start();
  Result<RawReply> Call(v1::Method method, const google::protobuf::MessageLite& request,
                        Payload payload, Deadline deadline);
  void CallAsync(v1::Method method, const google::protobuf::MessageLite& request, Payload payload,
                 Deadline deadline, Channel::Callback done);

  // False once the connection is broken or the peer has said goodbye. When nothing is under way the
  // socket is asked, so a peer that closed meanwhile is noticed before a request is sent.
  bool Usable();
  // Fails all calls with `why`; the first reason stays.
  void Break(Status why);

  bool saw_hello() const { return saw_hello_.load(); }
  v1::Hello peer_hello() const;
  Status broken_because() const;

 private:
  struct PendingCall {
    PendingCall(Deadline until, Channel::Callback then)
        : deadline(until), callback(std::move(then)) {}
    uint64_t id = 0;
    const Deadline deadline;
    Channel::Callback callback;     // asynchronous calls only
    std::atomic<bool> done{false};  // `result` is set; a leader looks without the lock
    bool leads = false;             // was given the reading role while it waited
    Result<RawReply> result;
    absl::CondVar changed;
  };
  using PendingPointer = std::shared_ptr<PendingCall>;
  enum class Reader { kNobody, kArmed, kBusy };  // kArmed: the poller waits for bytes
  struct Completed {
    Channel::Callback callback;
    Result<RawReply> result;
  };

  Result<PendingPointer> Register(Deadline deadline, Channel::Callback callback);
  Status SendRequest(PendingCall& call, v1::Method method,
                     const google::protobuf::MessageLite& request, Payload payload,
                     FrameWriter::Progress& progress);
  Result<FrameWriter::Progress> SendFrame(OutgoingFrame frame);
  Result<RawReply> Await(PendingCall& call, bool owns_writing);
  bool TakeReading(PendingCall& call, bool& was_armed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Lead(PendingCall& call, bool& owns_writing);
  void FinishWriting(PendingCall& call, bool& owns_writing);
  void ContinueWriting(bool& owns_writing);

  // A peer that closed may have said why before: that is worth more than a failed write. Reads what
  // is there unless somebody else does.
  void HearLastWords();
  // REQUIRES: the reading role. ReadAvailable stops early when `own` is done.
  void ReadAvailable(const PendingCall* own, std::vector<Completed>& completed);
  Status TakeFrame(Frame frame, std::vector<Completed>& completed);
  Status TakeHello(const Frame& frame);
  Status Explain(const Status& cause) const;
  void TakeResponse(Frame frame, std::vector<Completed>& completed);
  void RefuseRequest(const FrameHeader& header);
  void ReleaseReading();
  bool PassReading() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void OnReadable();
  void WatchReading();
  void WatchWriting();
  void OnWritable();
  void PlanExpiry(BootTime when);
  void ExpireCalls();
  void RunOnPoller(std::vector<Completed> completed);
  std::optional<FaultRule> Fault(FaultOperation operation);

  const Options options_;
  const std::unique_ptr<Stream> stream_;
  FrameReader reader_;  // confined to the reading role
  FrameWriter writer_;
  std::atomic<bool> saw_hello_{false};
  std::atomic<int> writable_descriptor_{-1};  // a dup, watched for writing only

  mutable absl::Mutex mu_;
  Reader reading_ ABSL_GUARDED_BY(mu_) = Reader::kNobody;
  uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<uint64_t, PendingPointer> pending_ ABSL_GUARDED_BY(mu_);
  std::vector<PendingCall*> waiting_ ABSL_GUARDED_BY(mu_);  // blocked on `changed`
  BootTime next_expiry_ ABSL_GUARDED_BY(mu_){Duration::max()};
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  Status why_ ABSL_GUARDED_BY(mu_);  // of broken_, or the peer's goodbye
  bool goodbye_ ABSL_GUARDED_BY(mu_) = false;
  v1::Hello peer_hello_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
