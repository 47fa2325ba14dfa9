// Who is in the group. While a change is under way it is joint: what is agreed on needs a majority
// of the new voters and of the old ones (Raft 6).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/status.h"

namespace cairn::raft {

// By id; the address is opaque here.
using Members = std::map<ServerId, std::string>;

struct Membership {
  Members voters;
  Members outgoing;  // voters of before; not empty exactly while the change is joint
  Members learners;  // get the log, have no vote

  bool IsJoint() const { return !outgoing.empty(); }
  bool IsVoter(ServerId id) const { return voters.contains(id) || outgoing.contains(id); }
  bool Contains(ServerId id) const { return IsVoter(id) || learners.contains(id); }
  // Everyone in it, in order of id, each once.
  std::vector<ServerId> All() const;
  // nullptr: not a member.
  const std::string* AddressOf(ServerId id) const;

  // Does a majority of the voters, and of the outgoing ones if there are any, say yes? False
  // without voters.
  bool HasQuorum(const std::function<bool(ServerId)>& yes) const;
  // The largest value that a quorum has reached. REQUIRES: there are voters.
  uint64_t QuorumValue(const std::function<uint64_t(ServerId)>& reached) const;

  friend bool operator==(const Membership&, const Membership&) = default;
};

// "voters 1=ADDRESS 2=ADDRESS; outgoing; learners 4=ADDRESS": one line for logs and transcripts.
std::string ToString(const Membership& membership);

// The bytes of a membership entry (docs/formats/raft_log.md).
std::string Encode(const Membership& membership);
// kCorruption: not the bytes of a membership. Sizes are checked before anything is believed.
Result<Membership> DecodeMembership(std::string_view bytes);

}  // namespace cairn::raft
