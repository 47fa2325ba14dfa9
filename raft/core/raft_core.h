// The Raft protocol of one member as a value: messages, time and notices go in, Ready comes out. It
// owns no thread, clock, file or socket. Thread-compatible.
//
// Sections and page numbers: Ongaro, "Consensus: Bridging Theory and Practice". Beyond the paper:
// pre-vote, check-quorum, a leader lease on echoed send times, durable incarnations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "raft/core/message.h"
#include "raft/core/progress.h"
#include "raft/core/raft_log.h"
#include "raft/core/ready.h"
#include "raft/core/start_state.h"

namespace cairn::raft {

struct CoreOptions {
  ServerId self;
  Incarnation incarnation;  // of this start, durable (rule M4)
  uint64_t seed = 0;        // spreads election timeouts
  // The order of these is the proof of the lease (DESIGN 9).
  Time heartbeat = std::chrono::milliseconds(100);
  Time lease = std::chrono::milliseconds(400);
  Time election_min = std::chrono::milliseconds(500);
  Time election_max = std::chrono::milliseconds(1000);
  size_t max_append_bytes = 1u << 20;      // of commands in one message
  size_t max_inflight_appends = 4;         // messages with entries on their way to one peer
  size_t max_unapplied_bytes = 64u << 20;  // of proposals; above it they are refused
  size_t max_cached_bytes = 16u << 20;     // of entries on disk and applied, kept in memory
};

enum class RoleKind { kFollower, kPreCandidate, kCandidate, kLeader };

// What the outside may know of the core.
struct CoreStatus {
  RoleKind role = RoleKind::kFollower;
  Term term;
  ServerId leader;  // 0: none known
  LogIndex commit;
  LogIndex last_index;
  LogIndex persisted;
  bool voting = true;       // false: a learner, or refetching lost entries
  bool recovering = false;  // lost entries are being fetched again (rule M5)
  bool changing = false;    // a change of membership is under way
  Membership membership;
  // Leader only.
  struct Peer {
    ServerId id;
    LogIndex match;
    bool active = false;  // has answered this leader within an election timeout
    bool needs_snapshot = false;
  };
  std::vector<Peer> peers;
  ServerId transfer_target;  // 0: none
};

class Core {
 public:
  // `reader` must outlive the core.
  Core(const CoreOptions& options, const StartState& start, LogReader& reader, Time now);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // --- In. Each may make output: TakeReady() afterwards.

  // A message came in. What cannot be, or comes from an earlier life, is dropped.
  void Step(const Message& message, Time now);
  // Time has passed. Call it at least every heartbeat / 4.
  void Tick(Time now);
  // A new entry. kNotLeader; kBusy: too much is uncommitted, or leadership is being handed over.
  Result<LogIndex> Propose(std::string command, Time now);
  // A read that must see everything that was committed before now (ReadIndex, Raft 6.4).
  // It is granted or refused in a later Ready; refused at the latest when leadership is lost.
  void Read(uint64_t id, Time now);
  // Changes who votes, through a joint membership if voters change; the core finishes the change
  // itself. kNotLeader; kBusy: a change is under way, or the leader has not committed in its term;
  // kInvalidArgument: no voters are left, or an id is voter and learner.
  Result<LogIndex> ProposeMembership(Members voters, Members learners, Time now);
  // Hands leadership to `target`, or to whoever is furthest when it is 0. The lease is given up for
  // the rest of the term (rule M6). kNotLeader; kNotFound: no such voter; kBelowMinActive: it is
  // not heard; kBusy: under way; kUnavailable: it has only just started.
  Status TransferLeadership(ServerId target, Time now);

  // The batch with this number is on disk.
  void Persisted(uint64_t number, Time now);
  // The batch could not be written for lack of room, nothing of it is on disk. It is offered again
  // with the next Tick.
  void NotPersisted(uint64_t number, Time now);
  // Everything up to `index` has been applied: what is committed behind it is handed out next.
  void Applied(LogIndex index);
  // The disk no longer has entries below `first`. REQUIRES: they are applied.
  void Compacted(LogIndex first);
  // Answers SnapshotWanted: `piece` of some snapshot at or above what was asked for; nullopt: not
  // now, ask again later.
  void SupplySnapshot(ServerId peer, std::optional<SnapshotPiece> piece, Time now);
  // The snapshot whose last piece was taken in is durable and is the state now; the log on disk is
  // empty and begins behind it.
  void SnapshotInstalled(const SnapshotPoint& point, Time now);
  // It was damaged or could not be stored: send it again.
  void SnapshotRefused(Time now);

  // --- Out.

  Ready TakeReady();

  // May a read be answered without asking anyone: leader, an entry of its own term is committed,
  // and a quorum has confirmed it recently. Check it *after* the state was read (rule M6).
  bool LeaseHolds(Time now) const;
  // All members that are heard have everything up to here, or get it in a snapshot that is under
  // way: while there is room, the log should reach back to it. `otherwise`: this member does not
  // lead.
  LogIndex HeardHave(LogIndex otherwise, Time now) const;
  // Who leads, as far as is known; 0: nobody.
  ServerId leader() const;
  // The term in which this member leads; 0 when it does not.
  Term LeadingTerm() const;
  LogIndex applied() const { return applied_; }
  // The index of the leader's first entry of its term: reads wait until it is applied.
  LogIndex FirstOwnIndex() const;
  CoreStatus Describe() const;
  // The one in force: the newest in the log, committed or not.
  const Membership& membership() const { return memberships_.back().membership; }
  // Will the request that came with this tag be answered later?
  bool Owes(uint64_t tag) const;
  // Since a leader last spoke; 0 on the leader itself. Since the beginning if none ever did.
  Time LeaderSilence(Time now) const;
  // Not ok: an entry could not be read; nothing happens any more.
  const Status& failure() const { return failure_; }

 private:
  struct Follower {
    ServerId leader;            // 0: none known
    std::optional<Time> heard;  // when a leader last spoke
  };
  struct Candidate {
    bool pre = true;
    bool transfer = false;
    std::map<ServerId, bool> votes;
  };
  struct Leader {
    std::map<ServerId, Progress> peers;
    LogIndex first_own;
    LogIndex sent;  // entries up to here others may have, be they members yet or not
    Time next_heartbeat{};
    bool lease_given_up = false;
    struct Transfer {
      ServerId target;
      Time until;
      bool told = false;
    };
    std::optional<Transfer> transfer;
    struct PendingRead {
      uint64_t id;
      LogIndex index;
      Time asked;
    };
    std::deque<PendingRead> reads;  // in the order they were asked
    struct Unapplied {
      LogIndex index;
      size_t bytes;
    };
    std::deque<Unapplied> unapplied;
    size_t unapplied_bytes = 0;
  };
  struct MembershipAt {
    LogIndex index;
    Membership membership;
  };
  // A message that waits for the disk.
  struct Held {
    uint64_t hard_state_version;
    LogIndex index;
    Message message;
  };
  struct Incoming {
    LogIndex index;
    Term term;
    uint64_t next_offset = 0;
    bool complete = false;  // being installed
    Message last_piece;     // without its data: whoever sent it is answered when it is installed
  };

  // raft_core.cc, output.cc: what all roles share.
  bool Admits(const Message& message, Time now);
  void ForgetProgressOf(ServerId id);
  void SetHardState(Term term, ServerId vote);
  void BecomeFollower(Term term, ServerId leader, Time now);
  void Send(ServerId to, Message message);
  Message MessageTo(ServerId to, Term term) const;
  Message ReplyTo(const Message& request) const;
  // Sends it once the hard state as it is now, and the log through `index`, are on disk.
  void SendWhenPersisted(Message message, LogIndex index);
  void ReleaseHeld();
  void AppendEntry(LogEntry entry);
  void CutLogAfter(LogIndex index);
  bool IsAlone() const;
  void NoteCommit(LogIndex index);
  void FillWrite(Ready& ready);
  void FillCommitted(Ready& ready);
  Time Stamp(Time now);
  void StopBecause(const Status& status);

  // election.cc
  // The disk has been at one write for so long that others should lead.
  bool DiskHangs(Time now) const;
  bool MayVote(Time now) const;
  bool MayCampaign(Time now) const;
  bool HearsLeader(Time now) const;
  void ResetElectionTimer(Time now);
  void Campaign(bool pre, bool transfer, Time now);
  void CountVotes(Time now);
  void BecomeLeader(Time now);
  void OnVoteRequest(const Message& message, const VoteRequest& request, Time now);
  void OnVoteReply(const Message& message, const VoteReply& reply, Time now);
  void OnTimeoutNow(const Message& message, Time now);

  // following.cc
  void OnAppendRequest(const Message& message, const AppendRequest& request, Time now);
  void AcceptEntries(const AppendRequest& request);
  void CheckRecovered(const AppendRequest& request);
  void OnSnapshotPiece(const Message& message, const SnapshotPiece& piece, Time now);
  bool TakePiece(const Message& message, const SnapshotPiece& piece);

  // leading.cc
  void OnAppendReply(const Message& message, const AppendReply& reply, Time now);
  void SendEntries(ServerId id, Progress& peer, Time now);
  void SendAppend(ServerId id, Progress& peer, std::vector<LogEntry> entries, Time now);
  void SendHeartbeat(ServerId id, Progress& peer, Time now);
  void BroadcastEntries(Time now);
  void BroadcastHeartbeat(Time now);
  void TickLeader(Time now);
  void TickPeer(ServerId id, Progress& peer, Time now);
  void MaybeCommit(Time now);

  // reads.cc
  void NoteAnswer(Progress& peer, Time sent_at, Time now);
  Time QuorumTime(const std::function<Time(const Progress&)>& of, Time now) const;
  void GrantReads(Time now);
  void RefuseReads();

  // transfer.cc
  bool IsActive(const Progress& peer, Time now) const;
  bool IsQuiet(ServerId id, Time now) const;
  ServerId FurthestVoter(Time now) const;
  // When FurthestVoter() finds nobody.
  Status WhyNobodyCanLead(Time now) const;
  void TellToCampaign(ServerId target);
  void MaybeHandOver(Time now);

  // leader_snapshots.cc
  void BeginSnapshot(Progress& peer, Time now);
  void OnSnapshotReply(const Message& message, const SnapshotReply& reply, Time now);
  void TickSnapshot(ServerId id, Progress& peer, Time now);

  // membership_change.cc
  Status CheckChange(const Members& voters, const Members& learners) const;
  LogIndex AppendMembership(const Membership& next, Time now);
  void SyncPeers(Time now);
  void AdvanceMembershipChange(Time now);

  const CoreOptions options_;
  LogReader& reader_;
  Status failure_;
  HardState hard_state_;
  uint64_t hard_state_version_ = 0;
  uint64_t persisted_hard_state_ = 0;
  RaftLog log_;
  LogIndex commit_;
  LogIndex handed_out_;  // committed entries through here were given to the driver
  LogIndex applied_;
  std::deque<MembershipAt> memberships_;  // the one in force last; never empty
  std::variant<Follower, Candidate, Leader> role_;
  std::map<ServerId, Incarnation> incarnations_;
  std::map<ServerId, Time> restarted_;  // when their present life was first heard, if that was seen
  Time quiet_until_{};                  // neither votes nor campaigns before
  Time election_at_{};
  uint64_t random_;
  Time last_stamp_{};
  Time started_{};
  Term start_term_;
  LogIndex lost_through_;  // not 0: entries that may have been acknowledged are missing (M5)
  std::optional<Incoming> incoming_;

  struct WriteUnderWay {
    uint64_t number;
    uint64_t hard_state_version;
    LogIndex index;
    Term term;
    std::optional<Time> seen;  // when a tick first found it under way
  };
  uint64_t last_write_ = 0;
  std::optional<WriteUnderWay> write_;
  bool write_blocked_ = false;  // the disk is full; tried again at the next tick

  std::vector<Message> messages_;
  std::vector<Held> held_;
  std::vector<ReadGrant> grants_;
  std::vector<SnapshotWanted> wanted_;
  std::optional<SnapshotPiece> incoming_piece_;
  bool recovered_ = false;
};

}  // namespace cairn::raft
