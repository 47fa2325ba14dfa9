// Parsed once for all translation units: what most of them include. It saves about half of a full
// build; every file still includes what it uses (clang-tidy compiles without this).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/admin.pb.h"
#include "cairn/v1/chunk.pb.h"
#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/command.pb.h"
#include "cairn/v1/hello.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/logging.h"
#include "common/status.h"
