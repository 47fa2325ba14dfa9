// The group of a transcript: members, the messages under way between them, and one clock for all.
// Nothing happens but by command, and nothing by chance: election timeouts come from fixed seeds.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/scripts/script_member.h"

namespace cairn::scripts {

using Link = std::pair<ServerId, ServerId>;

// Which messages are meant; what is not set matches all.
struct Filter {
  std::optional<ServerId> from;
  std::optional<ServerId> to;
  std::string kind;     // the word ToString() begins the body with
  bool newest = false;  // of them only the one sent last

  bool Matches(const raft::Message& message) const;
};

// Thread-compatible.
class ScriptGroup {
 public:
  struct Options {
    raft::Membership founders;
    raft::CoreOptions core;
    size_t piece_bytes = 16;
  };
  explicit ScriptGroup(const Options& options);

  ScriptMember& member(ServerId id) { return *members_.at(id); }
  bool Has(ServerId id) const { return members_.contains(id); }
  const std::map<ServerId, std::unique_ptr<ScriptMember>>& members() const { return members_; }
  // With an empty disk; it knows nobody.
  void Join(ServerId id);

  Time now() const { return now_; }
  // Time passes for all, or for `only` these, and no message arrives.
  void Tick(Time duration, const std::set<ServerId>& only);
  // Time passes, and messages arrive 10 ms after they were sent.
  void Run(Time duration);
  // The matching messages that are under way arrive.
  size_t Deliver(const Filter& filter);
  // All arrive, and those that come of it, until nothing is under way. No time passes.
  void Stabilize();
  void Lose(const Filter& filter);
  void Repeat(const Filter& filter);
  std::vector<raft::Message> UnderWay() const { return {under_way_.begin(), under_way_.end()}; }

  // Messages on a cut link are lost, on a held one they stay under way.
  std::set<Link>& cut() { return cut_; }
  std::set<Link>& held() { return held_; }

  void ShowMessages(bool show) { show_messages_ = show; }
  void ShowWrites(bool show) { output_.writes = show; }
  // What was printed since it was last taken.
  std::string TakeOutput() { return std::exchange(text_, {}); }
  void Print(const std::string& line) { text_ += line + "\n"; }

 private:
  void Add(ServerId id, raft::Membership founders);
  void Arrive(const raft::Message& message);

  const Options options_;
  MemberOutput output_;
  std::map<ServerId, std::unique_ptr<ScriptMember>> members_;
  std::list<raft::Message> under_way_;  // oldest first
  std::set<Link> cut_;
  std::set<Link> held_;
  Time now_ = std::chrono::seconds(100);
  bool show_messages_ = false;
  std::string text_;
};

}  // namespace cairn::scripts
