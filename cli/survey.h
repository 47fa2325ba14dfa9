// What the metaservers say when all of them are asked at once: one that is paused or dead costs the
// others nothing.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "rpc/address.h"

namespace cairn {

class AdminClient;

// Silent for so long, a metaserver counts as not answering. Verbs that only ask end within 2 s.
inline constexpr Duration kSurveyTime = std::chrono::milliseconds(1200);
// Those that change something have more patience with a busy machine.
inline constexpr Duration kPatientSurveyTime = std::chrono::seconds(4);

// Between two looks at what is about to change.
inline constexpr std::chrono::milliseconds kRest{50};

// Something that each is asked besides who it is.
struct Question {
  std::string method;  // "GetStatus"; empty: nothing
  const google::protobuf::Message* request = nullptr;
  const google::protobuf::Message* response = nullptr;  // only its type counts
};

struct MemberAnswer {
  Address address;  // gRPC, where it was asked
  // Of ListMetaservers; kUnimplemented: one of an older version, alone in its group.
  Status status;
  v1::ListMetaserversResponse says;
  Status answered;                                    // of the question
  std::shared_ptr<google::protobuf::Message> answer;  // what it answered if that is ok

  // Its own voice was heard, whatever it said.
  bool Answers() const;
  bool Leads() const;
};
using Survey = std::vector<MemberAnswer>;

// Asks all that `client` knows and, as they are named, all others of their group. Ends when all
// have answered, at the latest at the deadline.
Survey TakeSurvey(AdminClient& client, const Question& question, Deadline deadline);

// Whose word counts most: of those that answered for good, be it with an error, the leader of the
// highest term, else the one that has applied most. Null: none.
const MemberAnswer* BestOf(const Survey& survey);

// "no metaserver answers: ADDRESS: why; ..."
Status NobodyAnswers(const Survey& survey);

// A survey in which the one that counts most has answered the question.
struct Answers {
  Survey survey;
  size_t best_at = 0;

  const MemberAnswer& best() const { return survey[best_at]; }
};

// kUnavailable: nobody answers; else the error of the one that counts most.
Result<Answers> AskBest(AdminClient& client, const Question& question, Deadline deadline);

}  // namespace cairn
