#include "tests/raft/node_group.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "absl/synchronization/notification.h"

namespace cairn::testing {

namespace {

constexpr Duration kPatience = std::chrono::seconds(30);

// Rows "00000001" -> word.
class WordRows final : public RowSource {
 public:
  explicit WordRows(std::vector<std::string> words) : words_(std::move(words)) {}
  Result<bool> Next(std::string& key, std::string& value) override {
    if (next_ == words_.size()) return false;
    key = fmt::format("{:08}", next_);
    value = words_[next_++];
    return true;
  }

 private:
  const std::vector<std::string> words_;
  size_t next_ = 0;
};

ServerId IdOf(int member) {
  return ServerId(static_cast<uint32_t>(member));
}

}  // namespace

void WordList::Hold() {
  absl::MutexLock lock(&mu_);
  hold_ = true;
}

void WordList::AwaitHeld() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&held_));
}

void WordList::LetGo() {
  absl::MutexLock lock(&mu_);
  hold_ = false;
}

void WordList::WaitWhileHeld() {
  const auto free = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return !hold_; };
  held_ = hold_;
  mu_.Await(absl::Condition(&free));
  held_ = false;
}

std::vector<std::string> WordList::Apply(std::span<const LogEntry> entries) {
  absl::MutexLock lock(&mu_);
  WaitWhileHeld();
  std::vector<std::string> outcomes;
  for (const LogEntry& entry : entries) {
    CAIRN_CHECK(entry.index.value == point_.index.value + 1);
    point_.index = entry.index;
    point_.term = entry.term;
    outcomes.push_back(entry.kind == EntryKind::kCommand ? std::to_string(words_.size()) : "");
    if (entry.kind == EntryKind::kCommand) words_.push_back(entry.command);
    if (entry.kind == EntryKind::kMembership) {
      point_.membership = *raft::DecodeMembership(entry.command);
    }
  }
  return outcomes;
}

raft::SnapshotPoint WordList::Applied() {
  absl::MutexLock lock(&mu_);
  return point_;
}

Result<StateSnapshot> WordList::TakeSnapshot() {
  absl::MutexLock lock(&mu_);
  StateSnapshot snapshot;
  snapshot.point = point_;
  snapshot.rows = std::make_unique<WordRows>(words_);
  return snapshot;
}

Status WordList::Install(const raft::SnapshotPoint& point, RowSource& rows) {
  std::vector<std::string> words;
  std::string key;
  std::string value;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next(key, value));
    if (!more) break;
    words.push_back(value);
  }
  absl::MutexLock lock(&mu_);
  WaitWhileHeld();
  words_ = std::move(words);
  point_ = point;
  ++installed_;
  return OkStatus();
}

std::vector<std::string> WordList::words() {
  absl::MutexLock lock(&mu_);
  return words_;
}

int WordList::installed() {
  absl::MutexLock lock(&mu_);
  return installed_;
}

class NodeGroup::Wire final : public RaftTransport {
 public:
  explicit Wire(NodeGroup& group) : group_(group) {}
  void SetMembers(const raft::Membership&) override {}
  void Send(raft::Message message) override { group_.Deliver(std::move(message)); }

 private:
  NodeGroup& group_;
};

NodeGroup::NodeGroup(int size, RaftNodeOptions options) : options_(std::move(options)) {
  for (int member = 1; member <= size; ++member) founders_[IdOf(member)] = "";
  for (int member = 1; member <= size; ++member) {
    members_[member] = std::make_unique<Member>();
    Open(member);
    CAIRN_CHECK(node(member).Adopt(IdOf(member), founders_).ok());
  }
}

NodeGroup::~NodeGroup() {
  for (auto& [number, member] : members_) {
    if (member->node != nullptr) Stop(number);
  }
}

void NodeGroup::Open(int number) {
  Member& member = *members_.at(number);
  RaftNodeOptions options = options_;
  options.directory = member.directory->path();
  if (options.files == nullptr) options.files = &PosixFiles();
  options.clock = &clock_;
  options.observer = member.words.get();
  member.wire = std::make_unique<Wire>(*this);
  auto node = RaftNode::Open(std::move(options), *member.words, *member.wire);
  CAIRN_CHECK(node.has_value());
  member.node = *std::move(node);
  member.inbox = std::make_unique<SerialExecutor>("inbox");
  absl::MutexLock lock(&mu_);
  running_[IdOf(number)] = {member.node.get(), member.inbox.get()};
}

void NodeGroup::Start(int number) {
  if (members_.at(number)->node == nullptr) Open(number);
  node(number).Start();
}

void NodeGroup::StartAll() {
  for (auto& [number, member] : members_) Start(number);
}

void NodeGroup::Stop(int number) {
  Member& member = *members_.at(number);
  {
    absl::MutexLock lock(&mu_);
    running_.erase(IdOf(number));
  }
  member.inbox->Stop();
  member.node->Stop();
  member.node.reset();
}

void NodeGroup::AddUnborn(int number) {
  members_[number] = std::make_unique<Member>();
  Open(number);
}

void NodeGroup::AddStranger(int number) {
  AddUnborn(number);
  CAIRN_CHECK(node(number).Adopt(IdOf(number), {}).ok());
  Start(number);
}

void NodeGroup::Wipe(int number) {
  Member& member = *members_.at(number);
  CAIRN_CHECK(member.node == nullptr);
  member.directory = std::make_unique<TemporaryDirectory>();
  member.words = std::make_unique<WordList>();
}

void NodeGroup::Deliver(raft::Message message) {
  if (std::holds_alternative<raft::SnapshotPiece>(message.body)) ++pieces_;
  absl::MutexLock lock(&mu_);
  const ServerId from = message.from;
  const auto target = running_.find(message.to);
  if (target == running_.end() || cut_off_.contains(from) || cut_off_.contains(message.to)) return;
  RaftNode* node = target->second.first;
  target->second.second->Run([this, node, from, message = std::move(message)] {
    node->HandleRequest(message, [this, from](Result<std::optional<raft::Message>> reply) {
      if (!reply || !*reply) return;
      absl::MutexLock inner(&mu_);
      const auto sender = running_.find(from);
      if (sender == running_.end() || cut_off_.contains(from) ||
          cut_off_.contains((*reply)->from)) {
        return;
      }
      RaftNode* back = sender->second.first;
      sender->second.second->Run([back, answer = **reply] { back->HandleReply(answer); });
    });
  });
}

int NodeGroup::Leader() {
  int leader = 0;
  AwaitTrue(
      [&] {
        for (const auto& [number, member] : members_) {
          absl::MutexLock lock(&mu_);
          const bool reachable = !cut_off_.contains(IdOf(number));
          if (reachable && member->node != nullptr && member->node->ServingTerm() != Term()) {
            leader = number;
          }
        }
        return leader != 0;
      },
      "a leader");
  return leader;
}

Result<std::string> NodeGroup::Propose(int member, const std::string& word) {
  absl::Notification finished;
  Result<std::string> outcome;
  node(member).Propose(word, [&](Result<std::string> result) {
    outcome = std::move(result);
    finished.Notify();
  });
  finished.WaitForNotification();
  return outcome;
}

void NodeGroup::Say(const std::string& word) {
  AwaitTrue([&] { return Propose(Leader(), word).has_value(); }, "the word " + word);
}

bool NodeGroup::Confirm(int member, Term term) {
  absl::Notification finished;
  bool leads = false;
  node(member).ConfirmLeadership(term, [&](bool result) {
    leads = result;
    finished.Notify();
  });
  finished.WaitForNotification();
  return leads;
}

void NodeGroup::CutOff(int member) {
  absl::MutexLock lock(&mu_);
  cut_off_.insert(IdOf(member));
}

void NodeGroup::Reconnect(int member) {
  absl::MutexLock lock(&mu_);
  cut_off_.erase(IdOf(member));
}

void NodeGroup::AwaitWords(const std::vector<std::string>& words) {
  for (auto& [number, member] : members_) {
    if (member->node == nullptr) continue;
    AwaitTrue([&, one = member.get()] { return one->words->words() == words; },
              fmt::format("the words of member {}", number));
  }
}

void NodeGroup::AwaitTrue(const std::function<bool()>& condition, const std::string& what) {
  const Deadline deadline = Deadline::After(kPatience);
  while (!condition()) {
    ASSERT_FALSE(deadline.Passed()) << "not in time: " << what;
    std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace cairn::testing
