#include "tests/simulation/log_rules.h"

#include <algorithm>

#include "tests/simulation/hash_bytes.h"
#include "tests/simulation/machine.h"

namespace cairn::simulation {

uint64_t LogRules::HashOf(const LogEntry& entry) {
  return MixBits(HashBytes(entry.command) ^
                 MixBits(entry.term.value << 8 | static_cast<uint64_t>(entry.kind)));
}

void LogRules::Add(const Machine& machine) {
  machines_[machine.id()] = &machine;
}

void LogRules::Started(const Machine& machine, const raft::StartState& start) {
  // What the log no longer had when it was read must be in a durable state (rule M2).
  if (machine.log_was_compacted_to() > start.applied.index) {
    violations_.Add("M2",
                    fmt::format("the log of {} was compacted up to {}, its state has only {}",
                                machine.id(), machine.log_was_compacted_to(), start.applied.index));
  }
  if (start.first_index.value > machine.state().durable().value + 1) {
    violations_.Add("M2", fmt::format("the log of {} begins at {}, its state is durable up to {}",
                                      machine.id(), start.first_index, machine.state().durable()));
  }
  const uint64_t expected = HashAt(start.applied.index);
  if (expected != 0 && expected != machine.state().hash()) {
    violations_.Add("M2", fmt::format("the state of {} at {} is not what the log makes of it",
                                      machine.id(), start.applied.index));
  }
}

void LogRules::Writing(const Machine& machine, const LogEntry& entry, const LogView& view) {
  const std::optional<Term> previous = view.TermAt(LogIndex(entry.index.value - 1));
  if (!previous || *previous > entry.term) {
    violations_.Add("log order",
                    fmt::format("{} writes entry {} of term {} behind term {}", machine.id(),
                                entry.index, entry.term, previous ? previous->value : 0));
    return;
  }
  if (entry.index <= machine.state().applied().index) {
    violations_.Add("state machine safety", fmt::format("{} writes over entry {}, it is applied",
                                                        machine.id(), entry.index));
  }
  const Written written{HashOf(entry), *previous};
  auto [known, fresh] = written_.try_emplace({entry.index, entry.term}, written);
  if (!fresh && (known->second.hash != written.hash || known->second.previous_term != *previous)) {
    violations_.Add("log matching", fmt::format("entry {} of term {} differs at {}", entry.index,
                                                entry.term, machine.id()));
  }
  if (fresh && entry.kind == EntryKind::kMembership) {
    const Result<raft::Membership> membership = raft::DecodeMembership(entry.command);
    CAIRN_CHECK(membership.has_value());
    memberships_[{entry.index, entry.term}] = *membership;
  }
}

void LogRules::Withdrawn(const LogEntry& entry) {
  written_.erase({entry.index, entry.term});
  memberships_.erase({entry.index, entry.term});
}

void LogRules::Sending(const Machine& machine, const raft::Message& message) {
  if (const auto* request = std::get_if<raft::VoteRequest>(&message.body)) {
    CheckQuiet(machine, request->pre ? "asks for pre-votes" : "campaigns");
    if (!request->pre) CheckVote(machine, message);
  }
  if (const auto* reply = std::get_if<raft::VoteReply>(&message.body); reply && reply->granted) {
    CheckQuiet(machine, reply->pre ? "would vote" : "votes");
    if (!reply->pre) CheckVote(machine, message);
  }
  CheckOwnTerm(machine, message);
  CheckDurable(machine, message);
}

// What a leader has committed by counting ends with an entry of its own term (Raft 5.4.2, figure
// 8).
void LogRules::CheckOwnTerm(const Machine& machine, const raft::Message& message) {
  const auto* request = std::get_if<raft::AppendRequest>(&message.body);
  if (request == nullptr || request->commit <= machine.commit_when_elected()) return;
  const std::optional<Term> term = machine.TermInLog(request->commit);
  if (!term || *term == message.term) return;
  violations_.Add("figure 8", fmt::format("{} leads in term {} and commits entry {} of term {}",
                                          machine.id(), message.term, request->commit, *term));
}

// A vote is told, be it for itself.
void LogRules::CheckVote(const Machine& machine, const raft::Message& message) {
  const bool for_itself = std::holds_alternative<raft::VoteRequest>(message.body);
  const ServerId candidate = for_itself ? message.from : message.to;
  auto [vote, fresh] = votes_.try_emplace({machine.id(), message.term}, candidate);
  if (vote->second != candidate) {
    violations_.Add("M4", fmt::format("{} votes for {} and {} in term {}", machine.id(),
                                      vote->second, candidate, message.term));
  }
  const raft::HardState durable = machine.disk().hard_state();
  if (durable.term < message.term || (durable.term == message.term && durable.vote != candidate)) {
    violations_.Add("M4", fmt::format("{} tells its vote in term {} before it is on disk",
                                      machine.id(), message.term));
  }
  if (machine.disk().lost() > std::max(machine.disk().synced(), machine.state().durable())) {
    violations_.Add("M5", fmt::format("{} votes, its entries up to {} are lost", machine.id(),
                                      machine.disk().lost()));
  }
}

void LogRules::CheckQuiet(const Machine& machine, std::string_view what) {
  if (machine.started_alone() || machine.running_for() >= raft::CoreOptions().election_min) return;
  violations_.Add("M6", fmt::format("{} {} {} ms after its start", machine.id(), what,
                                    machine.running_for() / 1ms));
}

void LogRules::CheckDurable(const Machine& machine, const raft::Message& message) {
  const auto* request = std::get_if<raft::VoteRequest>(&message.body);
  const auto* vote = std::get_if<raft::VoteReply>(&message.body);
  const auto* reply = std::get_if<raft::AppendReply>(&message.body);
  // A refusal promises nothing, nor does what is said before an election.
  const bool promises = !(request && request->pre) && !(vote && (vote->pre || !vote->granted)) &&
                        !(reply && !reply->accepted);
  if (promises && machine.disk().hard_state().term < message.term) {
    violations_.Add(
        "M4", fmt::format("{} speaks in term {} before it is on disk", machine.id(), message.term));
  }
  if (!reply || !reply->accepted) return;
  const LogIndex there = std::max(machine.disk().synced(), machine.state().durable());
  if (reply->match > there) {
    violations_.Add("M1", fmt::format("{} acknowledges {}, only {} is on its disk", machine.id(),
                                      reply->match, there));
  }
}

void LogRules::Delivered(const Machine& machine, const raft::Message& message) {
  Incarnation& heard = heard_[{machine.id(), message.from}];
  heard = std::max(heard, message.incarnation);
}

void LogRules::Elected(const Machine& machine, Term term, const LogView& view) {
  auto [leader, fresh] = leaders_.try_emplace(term.value, machine.id());
  if (leader->second != machine.id()) {
    violations_.Add("election safety",
                    fmt::format("{} and {} lead in term {}", leader->second, machine.id(), term));
  }
  for (const auto& [id, other] : machines_) {
    if (other == &machine || !other->holds_lease_before(term)) continue;
    violations_.Add("M6", fmt::format("{} is elected in term {}, the lease of {} still holds",
                                      machine.id(), term, id));
  }
  // Terms never fall along the log: the last entry committed in an earlier term stands for all.
  auto end = std::partition_point(committed_.begin(), committed_.end(),
                                  [&](const Entry& entry) { return entry.term < term; });
  const LogIndex last(static_cast<uint64_t>(end - committed_.begin()));
  if (last.value == 0 || last <= machine.state().applied().index) return;
  if (view.TermAt(last) != committed_[last.value - 1].term) {
    violations_.Add("leader completeness",
                    fmt::format("{} leads in term {} without entry {}", machine.id(), term, last));
  }
}

void LogRules::Committed(const Machine& machine, const LogEntry& entry) {
  const uint64_t index = entry.index.value;
  if (index == committed_.size() + 1) {
    committed_.push_back({entry.term, HashOf(entry), 0});
    CheckMajority(machine, entry);
    return;
  }
  if (index > committed_.size() || committed_[index - 1].hash != HashOf(entry)) {
    violations_.Add("state machine safety",
                    fmt::format("{} has another entry {} committed", machine.id(), entry.index));
  }
}

// Which membership the leader counted by is not known here: the one in force at the entry, or one
// that was appended since.
void LogRules::CheckMajority(const Machine& machine, const LogEntry& entry) {
  if (IsHeldBy(MembershipAt(entry.index), entry.index, entry.term)) return;
  auto from = memberships_.upper_bound({entry.index, Term(~uint64_t{0})});
  for (auto at = from; at != memberships_.end(); ++at) {
    if (at->first.second < entry.term) continue;
    if (IsHeldBy(at->second, entry.index, entry.term)) return;
  }
  for (const auto& [id, leader] : machines_) {
    const std::optional<raft::Membership> used = leader->leads_with();
    if (used && IsHeldBy(*used, entry.index, entry.term)) return;
  }
  violations_.Add("M1", fmt::format("entry {} of term {} is committed for {}, no majority has it",
                                    entry.index, entry.term, machine.id()));
}

bool LogRules::IsHeldBy(const raft::Membership& membership, LogIndex index, Term term) const {
  return membership.HasQuorum([&](ServerId id) {
    auto machine = machines_.find(id);
    return machine != machines_.end() && machine->second->HasHeld(index, term);
  });
}

const raft::Membership& LogRules::MembershipAt(LogIndex index) const {
  auto at = memberships_.upper_bound({index, Term(~uint64_t{0})});
  while (at != memberships_.begin()) {
    --at;
    const auto& [where, membership] = *at;
    if (committed_[where.first.value - 1].term == where.second) return membership;
  }
  return founders_;
}

void LogRules::Applied(const Machine& machine, LogIndex index, uint64_t hash) {
  if (index > committed()) {
    violations_.Add("M1", fmt::format("{} applies {}, it is not committed", machine.id(), index));
    return;
  }
  uint64_t& known = committed_[index.value - 1].state_hash;
  if (known == 0) known = hash;
  if (known != hash) {
    violations_.Add("M7", fmt::format("the state of {} differs at {}", machine.id(), index));
  }
}

uint64_t LogRules::HashAt(LogIndex index) const {
  if (index.value == 0 || index > committed()) return 0;
  return committed_[index.value - 1].state_hash;
}

void LogRules::Compacting(const Machine& machine, LogIndex through) {
  if (through <= machine.state().durable()) return;
  violations_.Add("M2", fmt::format("{} forgets its log up to {}, its state is durable up to {}",
                                    machine.id(), through, machine.state().durable()));
}

void LogRules::LeaseHeld(const Machine& machine, Term term, LogIndex first_own) {
  if (newest_leader_term() > term) {
    violations_.Add(
        "M6", fmt::format("{} would read by its lease in term {}, {} leads in {}", machine.id(),
                          term, leaders_.rbegin()->second, newest_leader_term()));
  }
  if (first_own.value == 0 || first_own > machine.commit()) {
    violations_.Add("M6", fmt::format("{} would read by its lease before its entry {} is committed",
                                      machine.id(), first_own));
  }
}

// Whoever reads by a lease reads while nobody else leads, or it tells of the past.
void LogRules::ReadByLease(const Machine& machine, Term term, Term newest) {
  if (newest <= term) return;
  violations_.Add("M6", fmt::format("{} answers by its lease in term {} what it read in term {}",
                                    machine.id(), term, newest));
}

void LogRules::Believes(const Machine& leader, Term term, ServerId peer, LogIndex match) {
  auto found = machines_.find(peer);
  if (found == machines_.end() || leaders_[term.value] != leader.id()) return;
  const Machine& machine = *found->second;
  if (!machine.running() || heard_[{leader.id(), peer}] != machine.disk().incarnation()) return;
  if (machine.disk().hard_state().term > term) return;  // it follows another one by now
  if (match > std::max(machine.disk().synced(), machine.state().durable())) {
    violations_.Add("M4", fmt::format("{} counts on {} for {}, this life of it has only {}",
                                      leader.id(), peer, match, machine.disk().synced()));
  }
}

}  // namespace cairn::simulation
