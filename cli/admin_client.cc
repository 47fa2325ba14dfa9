#include "cli/admin_client.h"

#include <algorithm>
#include <thread>

#include "cli/survey.h"
#include "client/backoff.h"

namespace cairn {

using client::Earlier;
using client::IsTransient;

namespace {
// A handover ends within a second, a change of membership when a majority has two more entries on
// disk.
constexpr Duration kBusyTime = std::chrono::seconds(10);
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

Status AdminClient::FindLeader(Duration patience) {
  const Survey survey = TakeSurvey(*this, {}, Deadline::After(patience));
  const MemberAnswer* best = BestOf(survey);
  if (best == nullptr) {
    const bool slow = std::any_of(survey.begin(), survey.end(), [](const MemberAnswer& answer) {
      return answer.status.code() == ErrorCode::kDeadlineExceeded;
    });
    const Status silent = NobodyAnswers(survey);
    return slow ? Status(ErrorCode::kDeadlineExceeded, silent.message()) : silent;
  }
  RETURN_IF_ERROR(best->answered);
  leader_ = best->Leads() ? std::optional(best->address) : std::nullopt;
  return OkStatus();
}

Status AdminClient::CallLeader(const std::string& method, const google::protobuf::Message& request,
                               google::protobuf::Message& response, Deadline deadline,
                               Duration longest_try) {
  repeated_ = false;
  std::optional<Status> last;
  Duration patience = kSurveyTime;  // on a busy machine all of them may take longer
  const Deadline busy = Earlier(deadline, method == "TransferLeader" ? Duration(0) : kBusyTime);
  for (;;) {
    if (!leader_) {
      const Status found = FindLeader(std::min(deadline.Left(), patience));
      if (found.code() == ErrorCode::kDeadlineExceeded) {
        // The last one is cut short by the deadline and knows less than those before.
        if (!last) last = Status(ErrorCode::kUnavailable, found.message());
        patience *= 2;
      } else {
        RETURN_IF_ERROR(found);
      }
    }
    if (leader_) {
      Status status = CallAt(*leader_, method, request, response, Earlier(deadline, longest_try));
      if (status.code() == ErrorCode::kBusy) {
        if (busy.Left() <= kRest) return status;
      } else {
        if (!IsTransient(status.code())) return status;
        repeated_ = repeated_ || status.code() != ErrorCode::kNotLeader;
        last = Status::Error(ErrorCode::kUnavailable, "no metaserver leads; {}: {}",
                             leader_->ToString(), status);
        leader_.reset();
      }
    }
    if (deadline.Left() <= kRest) {
      return last.value_or(Status(ErrorCode::kUnavailable, "no metaserver leads"));
    }
    std::this_thread::sleep_for(kRest);
  }
}

Result<AdminClient> OpenCluster(const ClusterOptions& options) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options, LookupEnvironment::OfProcess()));
  return AdminClient::Open(access);
}

Result<bool> AskCluster(const ClusterOptions& options, const std::string& method,
                        const google::protobuf::Message& request,
                        google::protobuf::Message& response) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options));
  ASSIGN_OR_RETURN(const Answers answers,
                   AskBest(client, {method, &request, &response}, Deadline::After(kSurveyTime)));
  response.CopyFrom(*answers.best().answer);
  return answers.best().Leads();
}

}  // namespace cairn
