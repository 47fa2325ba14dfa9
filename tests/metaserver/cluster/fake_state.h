// A ReplicatedState in memory that commits at once: only the rows and commands the cluster part of
// the metaserver deals in. What commands mean to the namespace is tested with the operations.
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/records.pb.h"
#include "metaserver/replicated_state.h"

namespace cairn {

class FakeState final : public ReplicatedState {
 public:
  void Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) override;
  std::unique_ptr<ReadView> View() override;
  void OnMapChanged(std::function<void()> observer) override { observer_ = std::move(observer); }
  void OnAdmissionChange(std::function<void(bool)> observer) override {
    admission_observer_ = std::move(observer);
  }
  bool IsBorn() override;
  Term ServingTerm() const override { return serving_term; }
  bool LeaseHolds(Term term) const override { return lease_holds && term == serving_term; }
  void ConfirmLeadership(Term term, std::function<void(bool)> done) override {
    done(confirms && term == serving_term);
  }
  Status Stop() override { return OkStatus(); }

  // Proposals answer this instead of being applied, until it is ok again.
  void FailWith(Status status);
  int proposals() const;
  // Commands of the log that were applied to update groups.
  int group_updates() const;

  // What this metaserver thinks of its office.
  Term serving_term{1};
  bool lease_holds = true;
  bool confirms = true;  // a majority, when the lease does not hold

  // Runs before each proposal is applied.
  std::function<void(const v1::Command&)> on_propose;

  void Put(const std::string& key, const google::protobuf::MessageLite& row);
  void Erase(const std::string& key);
  bool Has(const std::string& key) const;
  v1::StateRecord State() const;

 private:
  template <typename Row>
  Row Load(const std::string& key) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  void Store(const std::string& key, const google::protobuf::MessageLite& row)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  v1::Outcome Apply(const v1::Command& command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  std::map<std::string, std::string, std::less<>> rows_ ABSL_GUARDED_BY(mu_);
  Status failure_ ABSL_GUARDED_BY(mu_);
  int proposals_ ABSL_GUARDED_BY(mu_) = 0;
  int group_updates_ ABSL_GUARDED_BY(mu_) = 0;
  std::function<void()> observer_;
  std::function<void(bool)> admission_observer_;
};

}  // namespace cairn
