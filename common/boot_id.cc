#include "common/boot_id.h"

#include <fstream>

#include "common/status.h"

namespace cairn {

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  // Without it a restart could not be told from a power cut (rule C2).
  CAIRN_CHECK(!id.empty());
  return id;
}

}  // namespace cairn
