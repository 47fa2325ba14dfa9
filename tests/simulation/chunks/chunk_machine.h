// A machine of the cluster: a disk, a clock, and the chunkserver that runs on it, if one does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/chunks/chunk_process.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class ChunkMachine {
 public:
  ChunkMachine(ChunkWorld& world, Wires& wires, Node node, ServerId server,
               ChunkProcess::Written written, ChunkProcess::Answered answered);

  Node node() const { return node_; }
  ServerId server() const { return server_; }
  ChunkDisk& disk() { return *disk_; }
  // Of the process that was started last; null: none runs.
  ChunkProcess* process() const { return process_.get(); }
  bool running() const { return process_ != nullptr && process_->running(); }
  v1::ServerRecord Record() const;  // as its next start will join

  void Start();
  void Kill(bool breaks);
  void StopCleanly();
  void LosePower(Random& random);
  void Pause(Time duration);
  // A new, empty disk, and with it a new server.
  void ReplaceDisk(ServerId server);
  // Forgets processes that have ended. False: some have not.
  bool Reap();

 private:
  ChunkWorld& world_;
  Wires& wires_;
  const Node node_;
  ServerId server_;
  const ChunkProcess::Written written_;
  const ChunkProcess::Answered answered_;
  const Time clock_offset_;
  const int clock_drift_;
  uint64_t boots_ = 1;
  std::unique_ptr<ChunkDisk> disk_;
  std::vector<std::unique_ptr<ChunkDisk>> old_disks_;
  std::unique_ptr<ChunkProcess> process_;
  std::vector<std::unique_ptr<ChunkProcess>> ending_;
};

}  // namespace cairn::simulation::chunks
