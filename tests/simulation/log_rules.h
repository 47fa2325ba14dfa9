// What must be true of logs, votes and leaders, seen from above: of all members at once, and of
// their disks rather than of what their processes believe. Sections are those of the Raft paper.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "raft/core/message.h"
#include "tests/simulation/log_view.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/violations.h"

namespace cairn::simulation {

class Machine;

// Thread-compatible.
class LogRules {
 public:
  explicit LogRules(Violations& violations) : violations_(violations) {}

  // The group is born with these.
  void Born(const raft::Membership& founders) { founders_ = founders; }
  void Add(const Machine& machine);

  // A process was started and has read its disk.
  void Started(const Machine& machine, const raft::StartState& start);
  // The process of `machine` is about to write `entry` behind what is in `view`.
  void Writing(const Machine& machine, const LogEntry& entry, const LogView& view);
  // The disk was full; nobody else has heard of the entry, and its place is given to another one.
  void Withdrawn(const LogEntry& entry);
  void Sending(const Machine& machine, const raft::Message& message);
  void Delivered(const Machine& machine, const raft::Message& message);
  void Elected(const Machine& machine, Term term, const LogView& view);
  void Committed(const Machine& machine, const LogEntry& entry);
  // `index` is applied and makes the state's hash `hash`.
  void Applied(const Machine& machine, LogIndex index, uint64_t hash);
  // The log is to forget everything up to `through`.
  void Compacting(const Machine& machine, LogIndex through);
  // The machine would answer a read by its lease now.
  void LeaseHeld(const Machine& machine, Term term, LogIndex first_own);
  // The machine answers a read by its lease in `term`; `newest` was newest_leader_term() when the
  // state was read.
  void ReadByLease(const Machine& machine, Term term, Term newest);
  // What the leader believes of a peer.
  void Believes(const Machine& leader, Term term, ServerId peer, LogIndex match);

  LogIndex committed() const { return LogIndex(committed_.size()); }
  Term newest_leader_term() const { return Term(leaders_.empty() ? 0 : leaders_.rbegin()->first); }
  // 0: not known.
  uint64_t HashAt(LogIndex index) const;

 private:
  struct Written {
    uint64_t hash;
    Term previous_term;
  };
  struct Entry {
    Term term;
    uint64_t hash;        // of the entry
    uint64_t state_hash;  // 0: nobody's batch has ended here yet
  };
  static uint64_t HashOf(const LogEntry& entry);
  void CheckOwnTerm(const Machine& machine, const raft::Message& message);
  void CheckVote(const Machine& machine, const raft::Message& message);
  void CheckQuiet(const Machine& machine, std::string_view what);
  void CheckDurable(const Machine& machine, const raft::Message& message);
  void CheckMajority(const Machine& machine, const LogEntry& entry);
  bool IsHeldBy(const raft::Membership& membership, LogIndex index, Term term) const;
  const raft::Membership& MembershipAt(LogIndex index) const;

  Violations& violations_;
  std::map<ServerId, const Machine*> machines_;
  raft::Membership founders_;
  absl::flat_hash_map<std::pair<LogIndex, Term>, Written> written_;
  std::map<std::pair<LogIndex, Term>, raft::Membership> memberships_;
  std::vector<Entry> committed_;          // [i] is index i + 1
  std::map<uint64_t, ServerId> leaders_;  // by term
  std::map<std::pair<ServerId, Term>, ServerId> votes_;
  std::map<std::pair<ServerId, ServerId>, Incarnation> heard_;  // by {hearer, speaker}
};

}  // namespace cairn::simulation
