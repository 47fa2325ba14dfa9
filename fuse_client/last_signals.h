// Signals while what is buffered is written back for the last time.
#pragma once

namespace cairn::fuse {

// From now on the first SIGTERM, the first SIGINT and the first SIGHUP do nothing; a second one of
// the same kind ends the process. Takes the place of libfuse's handlers without a gap: called
// before they are removed, so that no signal meets the default action. Any thread.
void PassOverOneSignal();

}  // namespace cairn::fuse
