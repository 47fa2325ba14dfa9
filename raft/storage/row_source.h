// Rows of a state, one after the other.
#pragma once

#include <string>

#include "common/status.h"

namespace cairn {

// In order, each once. Confined to one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // False: there are no more.
  virtual Result<bool> Next(std::string& key, std::string& value) = 0;
};

}  // namespace cairn
