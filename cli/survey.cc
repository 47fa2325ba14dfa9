#include "cli/survey.h"

#include <deque>
#include <iterator>
#include <set>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "cli/admin_client.h"
#include "client/backoff.h"

namespace cairn {

namespace {
// More than nine are no group; a liar cannot make us ask the whole world.
constexpr size_t kMostAsked = 32;

// The answers of a survey under way. The threads that ask are its own.
class Asking {
 public:
  Asking(AdminClient& client, const Question& question, Deadline deadline)
      : client_(client), question_(question), deadline_(deadline) {}
  ~Asking() { Join(); }

  // Once for each address.
  void Ask(const Address& address) {
    if (asked_.size() == kMostAsked || !asked_.insert(address.ToString()).second) return;
    GrpcChannel& channel = client_.ChannelTo(address);
    threads_.emplace_back([this, &channel, address] {
      MemberAnswer answer = AskOne(channel, address);
      absl::MutexLock lock(&mu_);
      answers_.push_back(std::move(answer));
    });
  }
  // The next answer that came in; nothing once all are there.
  const MemberAnswer* Next() {
    if (seen_ == asked_.size()) return nullptr;
    absl::MutexLock lock(&mu_);
    const auto more = [this] {
      mu_.AssertReaderHeld();
      return answers_.size() > seen_;
    };
    mu_.Await(absl::Condition(&more));  // each call ends by the deadline
    return &answers_[seen_++];
  }
  Survey Finish() {
    Join();
    absl::MutexLock lock(&mu_);
    return {std::make_move_iterator(answers_.begin()), std::make_move_iterator(answers_.end())};
  }

 private:
  MemberAnswer AskOne(GrpcChannel& channel, const Address& address) const {
    MemberAnswer answer;
    answer.address = address;
    answer.status = channel.Call("/cairn.v1.Admin/ListMetaservers", v1::ListMetaserversRequest(),
                                 answer.says, deadline_);
    if (question_.method.empty() || !answer.Answers()) {
      const bool old = answer.status.code() == ErrorCode::kUnimplemented;
      answer.answered = old ? OkStatus() : answer.status;
      return answer;
    }
    answer.answer.reset(question_.response->New());
    answer.answered = channel.Call("/cairn.v1.Admin/" + question_.method, *question_.request,
                                   *answer.answer, deadline_);
    if (!answer.answered.ok()) answer.answer = nullptr;
    return answer;
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  AdminClient& client_;
  const Question& question_;
  const Deadline deadline_;
  std::set<std::string> asked_;
  size_t seen_ = 0;
  std::vector<std::thread> threads_;
  absl::Mutex mu_;
  std::deque<MemberAnswer> answers_ ABSL_GUARDED_BY(mu_);  // in the order they came
};

Address GrpcOf(const v1::MetaserverInfo& info) {
  return ChooseAddress(info.address().grpc(), /*allow_unix=*/false);
}

bool CountsMore(const MemberAnswer& a, const MemberAnswer& b) {
  if (a.Leads() != b.Leads()) return a.Leads();
  if (a.Leads() && a.says.term() != b.says.term()) return a.says.term() > b.says.term();
  return a.says.applied_index() > b.says.applied_index();
}
}  // namespace

bool MemberAnswer::Answers() const {
  return status.code() != ErrorCode::kUnavailable &&
         status.code() != ErrorCode::kDeadlineExceeded &&
         status.code() != ErrorCode::kUnauthenticated;
}

bool MemberAnswer::Leads() const {
  return status.code() == ErrorCode::kUnimplemented || (status.ok() && says.role() == "leader");
}

Survey TakeSurvey(AdminClient& client, const Question& question, Deadline deadline) {
  Asking asking(client, question, deadline);
  for (const Address& address : client.configured()) asking.Ask(address);
  while (const MemberAnswer* answer = asking.Next()) {
    for (const v1::MetaserverInfo& info : answer->says.members()) {
      const Address address = GrpcOf(info);
      if (!address.host.empty() && address.port != 0) asking.Ask(address);
    }
  }
  return asking.Finish();
}

const MemberAnswer* BestOf(const Survey& survey) {
  const MemberAnswer* best = nullptr;
  for (const MemberAnswer& answer : survey) {
    // Another one's answer may be of more use.
    if (!answer.Answers() || client::IsTransient(answer.answered.code())) continue;
    if (best == nullptr || CountsMore(answer, *best)) best = &answer;
  }
  return best;
}

Status NobodyAnswers(const Survey& survey) {
  std::string silent;
  for (const MemberAnswer& answer : survey) {
    silent += fmt::format("{}{}: {}", silent.empty() ? "" : "; ", answer.address.ToString(),
                          answer.status.ok() ? answer.answered : answer.status);
  }
  return Status::Error(ErrorCode::kUnavailable, "no metaserver answers: {}", silent);
}

Result<Answers> AskBest(AdminClient& client, const Question& question, Deadline deadline) {
  Answers answers{TakeSurvey(client, question, deadline)};
  const MemberAnswer* best = BestOf(answers.survey);
  if (best == nullptr) return Fail(NobodyAnswers(answers.survey));
  RETURN_IF_ERROR(best->answered);
  answers.best_at = static_cast<size_t>(best - answers.survey.data());
  return answers;
}

}  // namespace cairn
