// The metaservers a mount knows, those it was told of and those it heard of, and whom to ask next
// when it looks for the one that leads. Decides only: MetaserverLink does the asking.
#pragma once

#include <optional>
#include <vector>

#include "cairn/v1/metadata.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "rpc/address.h"

namespace cairn::client {

// Thread-compatible.
class MetaserverMembers {
 public:
  // Heard of besides those that were told: a group has at most nine.
  static constexpr size_t kMostHeardOf = 32;
  // One that hangs is left out of the rounds for so long.
  static constexpr Duration kShun = std::chrono::seconds(1);

  explicit MetaserverMembers(const std::vector<Address>& told);

  // One round of the question who leads.
  struct Round {
    Address doubted;               // who was asked last and did not serve
    bool doubted_answers = false;  // but it answered: it may know who leads
    std::vector<Address> asked;
    std::vector<ServerId> heard;  // who has answered
    ServerId named;               // whom the last one who knew named; 0: nobody
  };
  // Whom to ask next; nobody: the round is over. The one that was named goes first, by an address
  // that was told if there is one; the doubted one goes last unless it answers.
  std::optional<Address> Next(const Round& round, BootTime now) const;

  // What `from` said. The list of a leader also takes out those that are no longer in the group.
  void Heard(const Address& from, const v1::FindLeaderResponse& answer);
  // `from` did not answer within the time it was given, and would not by another address.
  void Hangs(const Address& from, BootTime now);

  size_t size() const { return members_.size(); }
  // As far as is known: one that has two addresses is one.
  size_t servers() const;

 private:
  struct Member {
    Address address;
    bool told = false;
    ServerId server;  // 0: not known yet
    BootTime shunned_until{};
  };
  int Rank(const Member& member, const Round& round) const;
  Member* Find(const Address& address);
  void Learn(const v1::MetaserverMember& listed);
  void ForgetAllBut(const v1::FindLeaderResponse& answer);

  std::vector<Member> members_;  // those told of first
};

}  // namespace cairn::client
