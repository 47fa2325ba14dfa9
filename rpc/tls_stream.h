// TLS over a non-blocking socket; only stream.cc includes this.
#pragma once

#include <memory>

#include "rpc/stream.h"

namespace cairn {

// Closes `descriptor` when it fails.
Result<std::unique_ptr<Stream>> MakeTlsStream(int descriptor, const TlsContext& context,
                                              Stream::Side side);

}  // namespace cairn
