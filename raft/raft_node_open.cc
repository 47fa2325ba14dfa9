// How log, snapshot and state on one disk come together at a start.
#include <utility>

#include "common/hash.h"
#include "common/logging.h"
#include "raft/raft_node.h"

namespace cairn {

Result<std::unique_ptr<RaftNode>> RaftNode::Open(RaftNodeOptions options, StateMachine& machine,
                                                 RaftTransport& transport) {
  std::unique_ptr<RaftNode> node(new RaftNode(std::move(options), machine, transport));
  RETURN_IF_ERROR(node->options_.files->MakeDirectory(node->options_.directory));
  RETURN_IF_ERROR(node->InstallLeftSnapshot());
  RETURN_IF_ERROR(node->OpenLog());
  node->applied_ = machine.Applied().index.value;
  return node;
}

// A crash came between the arrival of a snapshot and the end of its installation.
Status RaftNode::InstallLeftSnapshot() {
  raft::SnapshotPoint point;
  {
    const auto reader = SnapshotFileReader::Open(options_.directory, *options_.files);
    if (!reader) {
      return reader.error().code() == ErrorCode::kNotFound ? OkStatus() : reader.error();
    }
    point = (*reader)->point();
  }
  if (point.index <= machine_.Applied().index) return OkStatus();
  LOG_INFO("a snapshot that was being installed is installed again index={}", point.index);
  const Status installed = InstallFile(point);
  if (!CanBeFetchedAgain(installed)) return installed;
  LOG_WARN("a snapshot is fetched again index={} reason={}", point.index, installed);
  return RemoveSnapshotFile(options_.directory, *options_.files);
}

// Is this the only voter? Then there is nobody to fetch lost entries from (rule M5).
bool RaftNode::IsSoleVoter(const raft::Membership& applied) const {
  const Result<LogFacts> facts = LoadLogFacts(*options_.files, LogFactsPath(options_.directory));
  if (!facts) return true;  // what is wrong with them is told by opening the log
  raft::Membership members = applied;
  if (members == raft::Membership() && !facts->founders.empty()) {
    if (auto founders = raft::DecodeMembership(facts->founders)) members = *std::move(founders);
  }
  const raft::Members& voters = members.voters;
  return voters.empty() || (voters.size() == 1 && voters.contains(facts->self));
}

Status RaftNode::OpenLog() {
  // The log may be cut down to what the state has: that must be on disk (rule M2).
  RETURN_IF_ERROR(machine_.MakeDurable());
  const raft::SnapshotPoint applied = machine_.Applied();
  LogStorageOptions storage = options_.storage;
  storage.applied = applied.index;
  storage.on_damage =
      IsSoleVoter(applied.membership) ? DamagePolicy::kRefuse : DamagePolicy::kRefetch;
  ASSIGN_OR_RETURN(storage_, LogStorage::Open(options_.directory, *options_.files, storage));
  // The log is of before the snapshot and tells another story at its point.
  const std::optional<Term> there = storage_->TermAt(applied.index);
  if (applied.index.value != 0 && there && *there != applied.term) {
    RETURN_IF_ERROR(storage_->Reset(LogIndex(applied.index.value + 1)));
  }
  return RemoveSnapshotFile(options_.directory, *options_.files);
}

void RaftNode::MakeCore() {
  self_ = storage_->self();
  raft::SnapshotPoint applied = machine_.Applied();
  // Until the cluster is founded the state does not know the group.
  if (applied.membership == raft::Membership() && !storage_->founders().empty()) {
    Result<raft::Membership> founders = raft::DecodeMembership(storage_->founders());
    if (!founders) {
      failure_ = founders.error();
      return;
    }
    applied.membership = *std::move(founders);
  }
  raft::CoreOptions core;
  core.self = self_;
  core.incarnation = storage_->incarnation();
  core.seed = MixBits(static_cast<uint64_t>(Now().count()));
  core_ = std::make_unique<raft::Core>(core, storage_->MakeStartState(applied),
                                       static_cast<raft::LogReader&>(*this), Now());
  LOG_INFO("metaserver is in a group self={} members=\"{}\" applied={} last={}", self_,
           ToString(applied.membership), applied.index, storage_->last_index());
}

}  // namespace cairn
