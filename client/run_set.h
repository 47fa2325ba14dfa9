// A set of chunk indexes, kept as runs: which chunks of a file hold bytes.
#pragma once

#include <cstdint>
#include <map>

#include "cairn/v1/common.pb.h"

namespace cairn::client {

// A value. Thread-compatible.
class RunSet {
 public:
  RunSet() = default;
  explicit RunSet(const google::protobuf::RepeatedPtrField<v1::ChunkRun>& runs);

  void Add(uint32_t index) { AddRange(index, uint64_t{index} + 1); }
  void AddRange(uint64_t first, uint64_t end);
  void AddAll(const RunSet& other);
  // Forgets every index of at least `end`.
  void CutAt(uint64_t end);
  void Clear() { runs_.clear(); }

  bool empty() const { return runs_.empty(); }
  uint64_t count() const;
  bool Contains(uint64_t index) const;
  bool ContainsAll(const RunSet& other) const;
  const std::map<uint64_t, uint64_t>& runs() const { return runs_; }  // first -> end, disjoint
  void CopyTo(google::protobuf::RepeatedPtrField<v1::ChunkRun>* out) const;

 private:
  std::map<uint64_t, uint64_t> runs_;
};

}  // namespace cairn::client
