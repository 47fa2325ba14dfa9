// The group of metaservers as one picture, put together from what each says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/survey.h"

namespace cairn {

struct GroupMember {
  uint32_t server = 0;          // 0: not known
  std::string address;          // frames, HOST:PORT; empty: not known
  std::string grpc;             // where it was, or can be, asked
  std::string part;             // voter, learner, outgoing; empty: not in the group
  std::string role = "silent";  // leader, follower, candidate, learner, unborn, silent
  uint64_t term = 0, last_index = 0, applied_index = 0;  // by its own word
  std::optional<uint64_t> behind;                        // entries, by the leader's word
  bool needs_snapshot = false;                           // by the leader's word
  bool heard = false;   // by the leader, whether it answers here or not
  std::string trouble;  // in words

  bool Answers() const { return role != "silent"; }
};

struct GroupView {
  std::string cluster_id;  // empty: nobody that answers is in a group
  uint32_t leader = 0;     // by the word of whoever answers; 0: nobody knows one
  bool changing = false;
  std::vector<GroupMember> members;  // in order of id, those outside the group last

  const GroupMember* Find(uint32_t server) const;
  size_t voters() const;
  // Those that have the group's log and answer, here or the leader.
  size_t answering_voters() const;
  // During a change that takes members out, their old majority is needed too.
  bool HasQuorum() const;
};

// Members are taken from the list of whoever counts most (BestOf). One that answers and is in
// nobody's list is shown if it belongs to the cluster or to none; one that is neither listed nor
// answers is not.
GroupView MakeGroupView(const Survey& survey);

// A table, one row each.
void PrintGroup(const GroupView& group, const Console& console);
// {"cluster_id", "leader", "changing", "members": [...]}; "behind" is null when not known.
std::string GroupJson(const GroupView& group);
// The array alone.
std::string MembersJson(const GroupView& group);

}  // namespace cairn
