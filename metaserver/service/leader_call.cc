#include "metaserver/service/leader_call.h"

#include <utility>

namespace cairn {

namespace {

class LeaderCall final : public ServerCall {
 public:
  LeaderCall(std::shared_ptr<ServerCall> call, ReplicatedState& state, Term term)
      : call_(std::move(call)), state_(state), term_(term) {}

  std::string_view body() const override { return call_->body(); }
  const Payload& payload() const override { return call_->payload(); }
  const PeerIdentity& peer() const override { return call_->peer(); }
  Deadline deadline() const override { return call_->deadline(); }

  void Reply(const google::protobuf::MessageLite& response, Payload payload) override {
    if (state_.LeaseHolds(term_)) return call_->Reply(response, std::move(payload));
    const std::shared_ptr<google::protobuf::MessageLite> kept(response.New());
    kept->CheckTypeAndMergeFrom(response);
    auto bytes = std::make_shared<Payload>(std::move(payload));
    Confirm([kept, bytes](ServerCall& call) { call.Reply(*kept, std::move(*bytes)); });
  }

  void Fail(const Status& status) override {
    // That the log did not take the change is true whoever leads.
    const bool own =
        status.code() == ErrorCode::kNotLeader || status.code() == ErrorCode::kUnavailable;
    if (own || state_.LeaseHolds(term_)) return call_->Fail(status);
    Confirm([status](ServerCall& call) { call.Fail(status); });
  }

 private:
  void Confirm(std::function<void(ServerCall&)> answer) {
    state_.ConfirmLeadership(term_, [call = call_, answer = std::move(answer)](bool leads) {
      if (leads) return answer(*call);
      call->Fail(Status(ErrorCode::kUnavailable, "leadership was lost before the answer"));
    });
  }

  const std::shared_ptr<ServerCall> call_;
  ReplicatedState& state_;
  const Term term_;
};

}  // namespace

std::shared_ptr<ServerCall> MakeLeaderCall(std::shared_ptr<ServerCall> call,
                                           ReplicatedState& state) {
  const Term term = state.ServingTerm();
  if (term != Term()) return std::make_shared<LeaderCall>(std::move(call), state, term);
  call->Fail(Status(ErrorCode::kNotLeader, "this metaserver does not lead"));
  return nullptr;
}

}  // namespace cairn
