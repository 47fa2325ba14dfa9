// One request to whichever metaserver leads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/backoff.h"
#include "client/metaserver_members.h"
#include "rpc/channel_pool.h"

namespace cairn::client {

// Follows the leader: when the one asked does not serve, or does not answer for half a second,
// everybody known is asked who leads, and the request goes to the one that says so of itself.
// Thread-safe.
class MetaserverLink {
 public:
  // REQUIRES: there is an address. They stay known for ever; others of the group are learned.
  MetaserverLink(ChannelPool* channels, const std::vector<Address>& addresses);

  // Called, on any thread, whenever a metaserver did not answer or does not lead. Set before the
  // first call; must not block.
  void OnTrouble(std::function<void()> observer) { on_trouble_ = std::move(observer); }

  struct Answer {
    Result<RawReply> reply;
    bool repeated = false;  // an earlier try may have been run without our hearing of it
  };
  // Sends the same request to one leader after the other, resting while there is none, until one
  // answers for good. kDeadlineExceeded names who failed last, and why.
  Answer Call(v1::Method method, const google::protobuf::MessageLite& request, Deadline deadline);

  template <typename Response>
  Result<Response> Fetch(v1::Method method, const google::protobuf::MessageLite& request,
                         Deadline deadline) {
    Answer answer = Call(method, request, deadline);
    RETURN_IF_ERROR(answer.reply);
    return answer.reply->Parse<Response>();
  }

  // Asks who belongs to the group by now. Done once after the first answer; to be repeated now and
  // then, for a mount may outlive every metaserver it was told of.
  void LearnMembers(Deadline deadline);

 private:
  using ChannelPointer = std::shared_ptr<Channel>;
  // What one call has been through.
  struct Troubles {
    std::vector<ChannelPointer> tried;  // since the last rest
    Backoff backoff;
  };

  ChannelPointer Current();
  Result<RawReply> Try(const ChannelPointer& channel, v1::Method method,
                       const google::protobuf::MessageLite& request, Deadline deadline);
  // For one that lives but is slow: waits for its answer or for the news that it no longer leads.
  Result<RawReply> TryPatiently(const ChannelPointer& channel, v1::Method method,
                                const google::protobuf::MessageLite& request, Deadline deadline);
  // Where to try after `failed`; rests while nobody leads. Null: the deadline comes first.
  ChannelPointer Next(const ChannelPointer& failed, bool answered, Troubles& troubles,
                      Deadline deadline);
  bool Rest(Backoff& backoff, Deadline deadline);
  // The member that says it leads, or null. Callers at the same time share one round of questions.
  ChannelPointer Seek(const Address& doubted, bool answered, Deadline deadline);
  ChannelPointer AskRound(MetaserverMembers::Round round, Deadline deadline);
  enum class Standing { kLeads, kFollows, kSilent, kRefuses };  // kRefuses: does not say
  Standing Ask(Channel& channel, MetaserverMembers::Round& round, Deadline deadline);

  ChannelPool* const channels_;
  std::function<void()> on_trouble_;
  std::atomic<bool> learned_{false};
  absl::Mutex mu_;
  MetaserverMembers members_ ABSL_GUARDED_BY(mu_);
  ChannelPointer current_ ABSL_GUARDED_BY(mu_);   // to be asked next
  ChannelPointer leader_ ABSL_GUARDED_BY(mu_);    // found by the last round; null: nobody
  uint64_t leaders_found_ ABSL_GUARDED_BY(mu_) = 0;
  BootTime last_round_ ABSL_GUARDED_BY(mu_){};    // when it ended
  bool seeking_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace cairn::client
