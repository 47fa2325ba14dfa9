// One member in a transcript: a core and its driver over a modelled disk that can be held back, and
// a state that is the list of commands applied.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "raft/core/raft_core.h"
#include "tests/simulation/model_disk.h"

namespace cairn::scripts {

using raft::Time;

// What a member tells the script.
struct MemberOutput {
  std::function<void(const std::string& line)> print;
  std::function<void(const raft::Message& message)> send;
  bool writes = false;  // are printed
};

// Thread-compatible.
class ScriptMember {
 public:
  ScriptMember(const raft::CoreOptions& options, raft::Membership founders, size_t piece_bytes,
               MemberOutput& output);

  void Start(Time now);
  // What is not on disk is gone.
  void Crash();
  bool running() const { return core_ != nullptr; }
  raft::Core& core() { return *core_; }
  simulation::ModelDisk& disk() { return disk_; }

  void Step(const raft::Message& message, Time now);
  void Tick(Time now);
  // Does what the core wants; to be called after each call into it.
  void Pump(Time now);

  // Writes wait until they are let through.
  void HoldDisk() { holding_ = true; }
  void FreeDisk(Time now);
  // Lets one through. False: none is waiting.
  bool Persist(Time now);
  void FillDisk(bool full) { disk_is_full_ = full; }
  void Damage(LogIndex index);
  void Compact(LogIndex through);
  // The next snapshot that arrives whole is thrown away.
  void RefuseNextSnapshot() { refuse_snapshot_ = true; }

  std::string StatusLine(Time now) const;
  std::string LogText();

 private:
  void FinishWrite(Time now);
  void Apply(const LogEntry& entry);
  void Supply(const raft::SnapshotWanted& wanted, Time now);
  void Take(const raft::SnapshotPiece& piece, Time now);
  void NoteRole();
  void Print(const std::string& line) { output_.print(line); }

  raft::CoreOptions options_;
  const size_t piece_bytes_;
  MemberOutput& output_;
  simulation::ModelDisk disk_;
  raft::SnapshotPoint applied_;
  std::string state_;  // the commands, a space before each
  std::unique_ptr<raft::Core> core_;
  std::optional<raft::WriteBatch> writing_;
  bool holding_ = false;
  bool disk_is_full_ = false;
  bool refuse_snapshot_ = false;
  std::string incoming_;
  std::string outgoing_;
  raft::SnapshotPoint outgoing_point_;
  std::string role_;
};

}  // namespace cairn::scripts
