#include "tests/scripts/script_group.h"

#include <algorithm>

namespace cairn::scripts {

namespace {
constexpr Time kStep = std::chrono::milliseconds(10);
constexpr int kMaxRounds = 1000;  // of answers to answers
constexpr uint64_t kSeed = 6;     // with this one 3 is the first whose election timeout ends
}  // namespace

bool Filter::Matches(const raft::Message& message) const {
  if (from && *from != message.from) return false;
  if (to && *to != message.to) return false;
  // "1->2 term=3 KIND ..."
  return kind.empty() || (ToString(message) + " ").find(" " + kind + " ") != std::string::npos;
}

ScriptGroup::ScriptGroup(const Options& options) : options_(options) {
  output_.print = [this](const std::string& line) { Print(line); };
  output_.send = [this](const raft::Message& message) {
    if (!cut_.contains({message.from, message.to})) under_way_.push_back(message);
  };
  for (ServerId id : options.founders.All()) Add(id, options.founders);
}

void ScriptGroup::Add(ServerId id, raft::Membership founders) {
  raft::CoreOptions options = options_.core;
  options.self = id;
  options.seed = kSeed;
  members_[id] =
      std::make_unique<ScriptMember>(options, std::move(founders), options_.piece_bytes, output_);
  members_[id]->Start(now_);
}

void ScriptGroup::Join(ServerId id) {
  Add(id, {});
}

void ScriptGroup::Tick(Time duration, const std::set<ServerId>& only) {
  const Time end = now_ + duration;
  while (now_ < end) {
    now_ = std::min(end, now_ + kStep);
    for (auto& [id, member] : members_) {
      if (member->running() && (only.empty() || only.contains(id))) member->Tick(now_);
    }
  }
}

void ScriptGroup::Run(Time duration) {
  const Time end = now_ + duration;
  while (now_ < end) {
    Tick(std::min(kStep, end - now_), {});
    Deliver({});
  }
}

size_t ScriptGroup::Deliver(const Filter& filter) {
  const auto goes = [&](const raft::Message& message) {
    return filter.Matches(message) && !held_.contains({message.from, message.to});
  };
  auto from = under_way_.begin();
  if (filter.newest) {
    const auto newest = std::find_if(under_way_.rbegin(), under_way_.rend(), goes);
    from = newest == under_way_.rend() ? under_way_.end() : std::prev(newest.base());
  }
  std::vector<raft::Message> due;
  while (from != under_way_.end()) {
    const bool leaves = goes(*from);
    if (leaves) due.push_back(std::move(*from));
    from = leaves ? under_way_.erase(from) : std::next(from);
  }
  for (const raft::Message& message : due) Arrive(message);
  return due.size();
}

void ScriptGroup::Arrive(const raft::Message& message) {
  if (cut_.contains({message.from, message.to})) return;
  const auto member = members_.find(message.to);
  if (member == members_.end() || !member->second->running()) return;
  if (show_messages_) Print(ToString(message));
  member->second->Step(message, now_);
}

void ScriptGroup::Stabilize() {
  for (int round = 0; round < kMaxRounds; ++round) {
    if (Deliver({}) == 0) return;
  }
  Print("messages do not come to an end");
}

void ScriptGroup::Lose(const Filter& filter) {
  std::erase_if(under_way_, [&](const raft::Message& message) { return filter.Matches(message); });
}

void ScriptGroup::Repeat(const Filter& filter) {
  const std::vector<raft::Message> now = UnderWay();
  std::copy_if(now.begin(), now.end(), std::back_inserter(under_way_),
               [&](const raft::Message& message) { return filter.Matches(message); });
}

}  // namespace cairn::scripts
