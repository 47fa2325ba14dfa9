#include "tests/scripts/script_language.h"

#include <charconv>
#include <sstream>

namespace cairn::scripts {

namespace {

uint64_t NumberOf(const std::string& word) {
  uint64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

ServerId IdOf(const std::string& word) {
  return ServerId(static_cast<uint32_t>(NumberOf(word)));
}

// "100ms", "2s"
Time DurationOf(const std::string& word) {
  const auto number = static_cast<int64_t>(NumberOf(word));
  return word.ends_with("ms") ? Time(std::chrono::milliseconds(number))
                              : Time(std::chrono::seconds(number));
}

std::set<ServerId> IdsOf(const std::string& words) {
  std::set<ServerId> ids;
  std::istringstream in(words);
  for (std::string word; std::getline(in, word, ',');) ids.insert(IdOf(word));
  return ids;
}

raft::Members MembersOf(const std::string& words) {
  raft::Members members;
  for (ServerId id : IdsOf(words)) members[id] = fmt::format("m{}", id);
  return members;
}

// "2->3"
Link LinkOf(const std::string& word) {
  const size_t arrow = word.find("->");
  return {IdOf(word.substr(0, arrow)), IdOf(word.substr(arrow + 2))};
}

std::string NamedOr(const std::map<std::string, std::string>& named, const std::string& name,
                    const std::string& otherwise) {
  const auto found = named.find(name);
  return found == named.end() ? otherwise : found->second;
}

Filter FilterOf(const std::map<std::string, std::string>& named, bool newest) {
  Filter filter;
  filter.newest = newest;
  if (named.contains("from")) filter.from = IdOf(named.at("from"));
  if (named.contains("to")) filter.to = IdOf(named.at("to"));
  filter.kind = NamedOr(named, "kind", "");
  return filter;
}

const Status kUnknown(ErrorCode::kNotFound, "no such command");

}  // namespace

ScriptLanguage::Words ScriptLanguage::Split(const std::string& line) {
  Words words;
  std::istringstream in(line);
  in >> words.command;
  for (std::string word; in >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      words.plain.push_back(word);
    } else {
      words.named[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return words;
}

std::string ScriptLanguage::Run(const std::string& line) {
  const Status status = Do(Split(line));
  std::string text = group_ != nullptr ? group_->TakeOutput() : "";
  if (!status.ok()) text += fmt::format("error: {}\n", status.message());
  return text;
}

Status ScriptLanguage::Do(const Words& words) {
  if (words.command == "cluster") return MakeCluster(words);
  if (group_ == nullptr) return Status(ErrorCode::kInvalidArgument, "there is no cluster yet");
  for (auto part : {&ScriptLanguage::DoToGroup, &ScriptLanguage::DoToLinks,
                    &ScriptLanguage::DoToMember, &ScriptLanguage::DoToLeader}) {
    Status status = (this->*part)(words);
    if (status.message() != kUnknown.message()) return status;
  }
  return Status::Error(ErrorCode::kInvalidArgument, "no command {}", words.command);
}

Status ScriptLanguage::MakeCluster(const Words& words) {
  ScriptGroup::Options options;
  options.founders.voters = MembersOf(NamedOr(words.named, "voters", ""));
  options.founders.learners = MembersOf(NamedOr(words.named, "learners", ""));
  const auto number = [&](const std::string& name, size_t otherwise) {
    return words.named.contains(name) ? NumberOf(words.named.at(name)) : otherwise;
  };
  options.core.max_append_bytes = number("append", options.core.max_append_bytes);
  options.core.max_inflight_appends = number("inflight", options.core.max_inflight_appends);
  options.core.max_unapplied_bytes = number("unapplied", options.core.max_unapplied_bytes);
  options.piece_bytes = number("piece", options.piece_bytes);
  group_ = std::make_unique<ScriptGroup>(options);
  return OkStatus();
}

Status ScriptLanguage::DoToGroup(const Words& words) {
  const std::string& command = words.command;
  if (command == "status") return PrintStatus(words), OkStatus();
  if (command == "show") return Show(words);
  if (command == "stabilize") return group_->Stabilize(), OkStatus();
  const Filter filter = FilterOf(words.named, words.plain == std::vector<std::string>{"newest"});
  if (command == "deliver") return group_->Deliver(filter), OkStatus();
  if (command == "lose") return group_->Lose(filter), OkStatus();
  if (command == "repeat") return group_->Repeat(filter), OkStatus();
  if (command == "under-way") {
    for (const raft::Message& message : group_->UnderWay()) group_->Print(ToString(message));
    return OkStatus();
  }
  if (command != "tick" && command != "run" && command != "join") return kUnknown;
  if (words.plain.empty()) return Status(ErrorCode::kInvalidArgument, "how long, or who?");
  if (command == "join") return group_->Join(IdOf(words.plain[0])), OkStatus();
  const Time duration = DurationOf(words.plain[0]);
  if (command == "run") return group_->Run(duration), OkStatus();
  return group_->Tick(duration, IdsOf(NamedOr(words.named, "only", ""))), OkStatus();
}

Status ScriptLanguage::Show(const Words& words) {
  group_->ShowMessages(false);
  group_->ShowWrites(false);
  for (const std::string& word : words.plain) {
    if (word == "messages") group_->ShowMessages(true);
    if (word == "writes") group_->ShowWrites(true);
  }
  return OkStatus();
}

void ScriptLanguage::PrintStatus(const Words& words) {
  const std::set<ServerId> only = IdsOf(words.plain.empty() ? "" : words.plain[0]);
  for (const auto& [id, member] : group_->members()) {
    if (only.empty() || only.contains(id)) group_->Print(member->StatusLine(group_->now()));
  }
}

// "cut 2->3", "isolate 1", "heal"; likewise "hold-messages" and "free-messages".
Status ScriptLanguage::DoToLinks(const Words& words) {
  const std::string& command = words.command;
  if (command == "heal") return group_->cut().clear(), OkStatus();
  if (command == "isolate") {
    for (const std::string& word : words.plain) {
      for (const auto& [other, member] : group_->members()) {
        group_->cut().insert({IdOf(word), other});
        group_->cut().insert({other, IdOf(word)});
      }
    }
    return OkStatus();
  }
  for (const std::string& word : words.plain) {
    if (word.find("->") == std::string::npos) return kUnknown;
    if (command == "cut") group_->cut().insert(LinkOf(word));
    if (command == "mend") group_->cut().erase(LinkOf(word));
    if (command == "hold-messages") group_->held().insert(LinkOf(word));
    if (command == "free-messages") group_->held().erase(LinkOf(word));
  }
  const bool known = command == "cut" || command == "mend" || command == "hold-messages" ||
                     command == "free-messages";
  return known ? OkStatus() : kUnknown;
}

Result<ServerId> ScriptLanguage::MemberOf(const Words& words, bool running) const {
  if (words.plain.empty() || !group_->Has(IdOf(words.plain[0]))) {
    return Fail(ErrorCode::kInvalidArgument, "which member?");
  }
  const ServerId id = IdOf(words.plain[0]);
  if (group_->member(id).running() != running) {
    return Fail(ErrorCode::kInvalidArgument, "{} is {}", id, running ? "down" : "up");
  }
  return id;
}

Status ScriptLanguage::DoToMember(const Words& words) {
  const std::string& command = words.command;
  const Time now = group_->now();
  if (command == "restart" || command == "damage") {
    ASSIGN_OR_RETURN(const ServerId id, MemberOf(words, false));
    if (command == "restart") return group_->member(id).Start(now), OkStatus();
    return group_->member(id).Damage(LogIndex(NumberOf(words.plain.at(1)))), OkStatus();
  }
  if (command == "log" && MemberOf(words, true)) {
    const std::string text = group_->member(*MemberOf(words, true)).LogText();
    if (!text.empty()) group_->Print(text.substr(0, text.size() - 1));
    return OkStatus();
  }
  for (const char* known : {"crash", "hold-disk", "free-disk", "fill-disk", "empty-disk", "persist",
                            "compact", "refuse-snapshot"}) {
    if (command != known) continue;
    ASSIGN_OR_RETURN(const ServerId id, MemberOf(words, true));
    ScriptMember& member = group_->member(id);
    if (command == "crash") member.Crash();
    if (command == "hold-disk") member.HoldDisk();
    if (command == "free-disk") member.FreeDisk(now);
    if (command == "fill-disk") member.FillDisk(true);
    if (command == "empty-disk") member.FillDisk(false);
    if (command == "compact") member.Compact(LogIndex(NumberOf(words.plain.at(1))));
    if (command == "refuse-snapshot") member.RefuseNextSnapshot();
    if (command == "persist" && !member.Persist(now)) group_->Print("nothing to write");
    return OkStatus();
  }
  return kUnknown;
}

Status ScriptLanguage::DoToLeader(const Words& words) {
  const std::string& command = words.command;
  if (command != "propose" && command != "read" && command != "transfer" &&
      command != "membership") {
    return kUnknown;
  }
  ASSIGN_OR_RETURN(const ServerId id, MemberOf(words, true));
  ScriptMember& member = group_->member(id);
  const Time now = group_->now();
  Status status;
  const std::string argument = words.plain.size() > 1 ? words.plain[1] : "0";
  if (command == "propose") {
    status = internal::StatusOf(member.core().Propose(argument, now));
  } else if (command == "read") {
    member.core().Read(NumberOf(argument), now);
  } else if (command == "transfer") {
    status = member.core().TransferLeadership(IdOf(argument), now);
  } else {
    status = internal::StatusOf(
        member.core().ProposeMembership(MembersOf(NamedOr(words.named, "voters", "")),
                                        MembersOf(NamedOr(words.named, "learners", "")), now));
  }
  member.Pump(now);
  return status;
}

}  // namespace cairn::scripts
