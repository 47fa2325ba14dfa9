// What a member does for clients: completes and proposes changes, answers reads, keeps sessions.
// The metaserver's own inode allocator and session table are used as the metaserver uses them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "metaserver/inode_allocator.h"
#include "metaserver/sessions/session_table.h"
#include "raft/core/ready.h"
#include "tests/simulation/state.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

class Machine;
class Process;

struct Reply {
  ErrorCode code = ErrorCode::kOk;  // of the carrier; that of a change is in its outcome
  v1::Outcome outcome;
  Found found;
  LogIndex index;   // the change's own place, or how far the state was that was read
  ServerId leader;  // with kNotLeader: who it is; 0: not known
};
using Answer = std::function<void(const Reply&)>;

struct LookupRequest {
  uint64_t session = 0;
  uint64_t parent = 0;
  std::string name;
  bool by_lease = true;
};

// Thread-compatible.
class Service {
 public:
  Service(World& world, Machine& machine, Process& process);

  void Change(v1::Command command, Answer answer);
  void Read(LookupRequest request, Answer answer);

  // --- From the process.
  void Tick();
  void LeadershipChanged();
  // Entries above `last` were not stored and are no more.
  void Withdrawn(LogIndex last);
  void Applied(const LogEntry& entry, const AppliedCommand& done);
  void AppliedUpTo(LogIndex index);
  void Granted(const raft::ReadGrant& grant);

 private:
  struct Pending {
    Term term;
    Answer answer;
  };
  struct PendingRead {
    LookupRequest request;
    Answer answer;
  };
  // Ok: this member leads and knows every session.
  bool Admit(uint64_t session, const Answer& answer);
  void EnterOfficeWhenDue();
  void EndSilentSessions();
  void Complete(v1::Command& command);
  void Propose(const v1::Command& command, Answer answer);
  void ReserveRange();
  void ReadByLease(const LookupRequest& request, const Answer& answer);
  // A state that was read by the lease of `term`, while `newest` led.
  struct LeaseRead {
    Term term;
    Term newest;
    Reply reply;
  };
  LeaseRead ReadUnderLease(const LookupRequest& request, Term term) const;
  void FinishLeaseRead(const LookupRequest& request, const Answer& answer, const LeaseRead& read);
  void ReadByIndex(LookupRequest request, Answer answer);
  Reply ReadState(const LookupRequest& request) const;

  World& world_;
  Machine& machine_;
  Process& process_;
  InodeAllocator inodes_;
  std::map<LogIndex, Pending> pending_;
  uint64_t next_read_ = 0;
  std::map<uint64_t, PendingRead> asked_reads_;         // waiting for the core's word
  std::multimap<LogIndex, PendingRead> granted_reads_;  // waiting for the state
  // The office of the leader, once its first own entry is applied.
  std::unique_ptr<SessionTable> sessions_;
  bool in_office_ = false;
  Time office_since_{};
  std::map<uint64_t, Time> heard_;
  Time next_look_{};
  Time lease_seen_{};  // for a seeded bug only
};

}  // namespace cairn::simulation
