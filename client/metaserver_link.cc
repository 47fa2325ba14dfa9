#include "client/metaserver_link.h"

#include <algorithm>
#include <optional>

namespace cairn::client {

namespace {
// Silent for so long, it may be paused or cut off: time to hear what the others say.
constexpr Duration kPatience = std::chrono::milliseconds(500);
// The only one there is, or one that was heard meanwhile, gets more.
constexpr Duration kLongestTry = std::chrono::seconds(5);
// Who leads is answered at once, from memory.
constexpr Duration kAskTime = std::chrono::milliseconds(200);
// An election ends any moment.
constexpr Duration kLongestRest = std::chrono::milliseconds(50);
// What a round has found is good for others who ask so soon after.
constexpr Duration kRoundGap = std::chrono::milliseconds(5);

// The answer of an asynchronous call. Thread-safe.
class SlowAnswer {
 public:
  void Set(Result<RawReply> reply) {
    absl::MutexLock lock(&mu_);
    reply_ = std::move(reply);
  }
  std::optional<Result<RawReply>> Await(Duration patience) {
    absl::MutexLock lock(&mu_);
    auto there = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return reply_.has_value(); };
    AwaitUntil(mu_, there, Deadline::After(patience));
    return reply_;
  }

 private:
  absl::Mutex mu_;
  std::optional<Result<RawReply>> reply_ ABSL_GUARDED_BY(mu_);
};
}  // namespace

MetaserverLink::MetaserverLink(ChannelPool* channels, const std::vector<Address>& addresses)
    : channels_(channels), members_(addresses), current_(channels->Get(addresses.at(0))) {}

MetaserverLink::ChannelPointer MetaserverLink::Current() {
  absl::MutexLock lock(&mu_);
  return current_;
}

MetaserverLink::Answer MetaserverLink::Call(v1::Method method,
                                            const google::protobuf::MessageLite& request,
                                            Deadline deadline) {
  Troubles troubles;
  bool repeated = false;
  bool patient = false;
  ChannelPointer channel = Current();
  for (;;) {
    Result<RawReply> reply = patient ? TryPatiently(channel, method, request, deadline)
                                     : Try(channel, method, request, deadline);
    if (reply.has_value() || !IsTransient(reply.error().code())) {
      if (reply.has_value() && !learned_.exchange(true)) LearnMembers(deadline);
      return {std::move(reply), repeated};
    }
    const ErrorCode code = reply.error().code();
    repeated = repeated || code != ErrorCode::kNotLeader;
    if (on_trouble_) on_trouble_();
    ChannelPointer next = Next(channel, code == ErrorCode::kNotLeader, troubles, deadline);
    if (next == nullptr) {
      return {Fail(ErrorCode::kDeadlineExceeded, "no metaserver answered in time; {}: {}",
                   channel->address().ToString(), reply.error().message()),
              repeated};
    }
    patient = next == channel && code == ErrorCode::kDeadlineExceeded;
    channel = std::move(next);
  }
}

Result<RawReply> MetaserverLink::Try(const ChannelPointer& channel, v1::Method method,
                                     const google::protobuf::MessageLite& request,
                                     Deadline deadline) {
  Duration patience = kLongestTry;
  {
    absl::MutexLock lock(&mu_);
    if (members_.servers() > 1) patience = kPatience;
  }
  return channel->CallRaw(method, request, {}, Earlier(deadline, patience));
}

Result<RawReply> MetaserverLink::TryPatiently(const ChannelPointer& channel, v1::Method method,
                                              const google::protobuf::MessageLite& request,
                                              Deadline deadline) {
  auto answer = std::make_shared<SlowAnswer>();
  channel->CallAsync(method, request, {}, Earlier(deadline, kLongestTry),
                     [answer](Result<RawReply> reply) { answer->Set(std::move(reply)); });
  for (;;) {
    if (std::optional<Result<RawReply>> reply = answer->Await(kPatience)) return *std::move(reply);
    if (Seek(channel->address(), /*answered=*/false, deadline) != channel) {
      return Fail(ErrorCode::kUnavailable, "it is silent and does not lead");
    }
  }
}

MetaserverLink::ChannelPointer MetaserverLink::Next(const ChannelPointer& failed, bool answered,
                                                    Troubles& troubles, Deadline deadline) {
  troubles.tried.push_back(failed);
  for (;;) {
    ChannelPointer leader = Seek(failed->address(), answered, deadline);
    const auto& tried = troubles.tried;
    if (leader != nullptr && std::find(tried.begin(), tried.end(), leader) == tried.end()) {
      return leader;
    }
    if (!Rest(troubles.backoff, deadline)) return nullptr;
    troubles.tried.clear();
  }
}

// Ends early when somebody else finds a leader.
bool MetaserverLink::Rest(Backoff& backoff, Deadline deadline) {
  Duration rest = backoff.Next();
  while (rest > kLongestRest) rest /= 2;
  if (deadline.Left() <= rest) return false;
  absl::MutexLock lock(&mu_);
  const uint64_t before = leaders_found_;
  auto found = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return leaders_found_ != before; };
  AwaitUntil(mu_, found, Deadline::After(rest));
  return true;
}

MetaserverLink::ChannelPointer MetaserverLink::Seek(const Address& doubted, bool answered,
                                                    Deadline deadline) {
  if (deadline.Passed()) return nullptr;  // its round would find nobody, and tell others so
  {
    absl::MutexLock lock(&mu_);
    if (seeking_) {
      auto done = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return !seeking_; };
      AwaitUntil(mu_, done, deadline);
      return leader_;
    }
    if (SystemClock().Now() - last_round_ < kRoundGap) return leader_;
    seeking_ = true;
  }
  ChannelPointer leader = AskRound({doubted, answered, {}, {}, {}}, deadline);
  absl::MutexLock lock(&mu_);
  seeking_ = false;
  last_round_ = SystemClock().Now();
  if (leader != nullptr && leader != leader_) ++leaders_found_;
  leader_ = leader;
  if (leader != nullptr) current_ = leader;
  return leader;
}

MetaserverLink::ChannelPointer MetaserverLink::AskRound(MetaserverMembers::Round round,
                                                        Deadline deadline) {
  ChannelPointer refusing, doubted;
  size_t refusals = 0;
  while (!deadline.Passed()) {
    std::optional<Address> address;
    {
      absl::MutexLock lock(&mu_);
      address = members_.Next(round, SystemClock().Now());
    }
    if (!address.has_value()) break;
    round.asked.push_back(*address);
    ChannelPointer channel = channels_->Get(*address);
    const Standing standing = Ask(*channel, round, deadline);
    if (standing == Standing::kLeads && *address != round.doubted) return channel;
    // It has just not served: it may be slow, or not know yet that it was replaced.
    if (standing == Standing::kLeads) doubted = channel;
    if (standing == Standing::kRefuses) refusing = channel;
    if (standing == Standing::kRefuses) ++refusals;
  }
  // If all refuse, the request itself will say what is wrong.
  return refusals > 0 && refusals == round.asked.size() ? refusing : doubted;
}

MetaserverLink::Standing MetaserverLink::Ask(Channel& channel, MetaserverMembers::Round& round,
                                             Deadline deadline) {
  const auto answer = channel.Call<v1::FindLeaderResponse>(
      v1::METADATA_FIND_LEADER, v1::FindLeaderRequest(), Earlier(deadline, kAskTime));
  absl::MutexLock lock(&mu_);
  if (!answer.has_value()) {
    const ErrorCode code = answer.error().code();
    // Given less than its time it may be as well as any.
    if (code == ErrorCode::kDeadlineExceeded && !deadline.Passed()) {
      members_.Hangs(channel.address(), SystemClock().Now());
    }
    // One of an older version does not know the question: it is alone in its group and leads.
    if (code == ErrorCode::kUnimplemented) return Standing::kLeads;
    return IsTransient(code) ? Standing::kSilent : Standing::kRefuses;
  }
  members_.Heard(channel.address(), *answer);
  round.heard.push_back(ServerId(answer->server()));
  if (answer->leader() != 0) round.named = ServerId(answer->leader());
  const bool leads = answer->leader() != 0 && answer->leader() == answer->server();
  return leads ? Standing::kLeads : Standing::kFollows;
}

void MetaserverLink::LearnMembers(Deadline deadline) {
  MetaserverMembers::Round round;
  (void)Ask(*Current(), round, deadline);
}

}  // namespace cairn::client
