#include "cli/admin_client.h"

#include <algorithm>
#include <thread>

namespace cairn {

namespace {
// An election takes about a second.
constexpr std::chrono::milliseconds kRest{50};
// A leader that is paused must not use up the whole time.
constexpr Duration kLongestTry = std::chrono::seconds(5);

// A change of membership ends when a majority has two more entries on disk.
constexpr Duration kBusyTime = std::chrono::seconds(10);

bool AnotherMayAnswer(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kNotLeader;
}

Deadline Within(const Deadline& deadline, Duration at_most) {
  return Deadline::After(std::min(deadline.Left(), at_most));
}
}  // namespace

Result<AdminClient> AdminClient::Open(const ClusterAccess& access) {
  AdminClient client;
  ASSIGN_OR_RETURN(client.tls_, TlsContext::Load(access.tls));
  client.configured_ = access.metaservers;
  return client;
}

GrpcChannel& AdminClient::ChannelTo(const Address& address) {
  std::unique_ptr<GrpcChannel>& channel = channels_[address.ToString()];
  if (channel == nullptr) channel = GrpcChannel::Make(address, tls_);
  return *channel;
}

Status AdminClient::CallAt(const Address& address, const std::string& method,
                           const google::protobuf::Message& request,
                           google::protobuf::Message& response, Deadline deadline) {
  return ChannelTo(address).Call("/cairn.v1.Admin/" + method, request, response, deadline);
}

Status AdminClient::FindLeader(Deadline deadline) {
  const Survey survey = TakeSurvey(*this, {}, Within(deadline, kSurveyTime));
  const MemberAnswer* best = BestOf(survey);
  if (best == nullptr) return NobodyAnswers(survey);
  RETURN_IF_ERROR(best->answered);
  leader_ = best->Leads() ? std::optional(best->address) : std::nullopt;
  return OkStatus();
}

Status AdminClient::CallLeader(const std::string& method, const google::protobuf::Message& request,
                               google::protobuf::Message& response, Deadline deadline) {
  repeated_ = false;
  Status last(ErrorCode::kUnavailable, "no metaserver leads");
  for (;;) {
    if (!leader_) RETURN_IF_ERROR(FindLeader(deadline));
    if (leader_) {
      const Status status =
          CallAt(*leader_, method, request, response, Within(deadline, kLongestTry));
      if (!AnotherMayAnswer(status.code())) return status;
      repeated_ = repeated_ || status.code() != ErrorCode::kNotLeader;
      last = Status::Error(ErrorCode::kUnavailable, "no metaserver leads; {}: {}",
                           leader_->ToString(), status);
      leader_.reset();
    }
    if (deadline.Left() <= kRest) return last;
    std::this_thread::sleep_for(kRest);
  }
}

Status AdminClient::ChangeMembers(const std::string& method,
                                  const google::protobuf::Message& request,
                                  google::protobuf::Message& response, Deadline deadline) {
  const Deadline patience = Within(deadline, kBusyTime);
  for (;;) {
    Status status = CallLeader(method, request, response, deadline);
    if (status.code() != ErrorCode::kBusy || patience.Left() <= kRest) return status;
    std::this_thread::sleep_for(kRest);
  }
}

Status AskCluster(const ClusterOptions& options, const std::string& method,
                  const google::protobuf::Message& request, google::protobuf::Message& response) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const Survey survey =
      TakeSurvey(client, {method, &request, &response}, Deadline::After(kSurveyTime));
  const MemberAnswer* best = BestOf(survey);
  if (best == nullptr) return NobodyAnswers(survey);
  RETURN_IF_ERROR(best->answered);
  response.CopyFrom(*best->answer);
  return OkStatus();
}

}  // namespace cairn
