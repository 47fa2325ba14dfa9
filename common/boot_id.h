// The kernel's id of this boot. The same id across a restart means that the page cache survived.
#pragma once

#include <string>

namespace cairn {

std::string BootId();

}  // namespace cairn
