// A call that only the leader may answer: what it read is told only if nobody else can have
// committed anything meanwhile (rule M6).
#pragma once

#include <memory>

#include "metaserver/replicated_state.h"
#include "rpc/dispatcher.h"

namespace cairn {

// A call whose answers pass to `call` while this metaserver leads in the term it leads in now. The
// lease is asked after the handler has read the state; when it does not tell, a majority is asked;
// and without either the answer is kUnavailable, for a change may have run. When this metaserver
// does not lead, `call` is answered with kNotLeader and the result is null.
// `state` must outlive it.
std::shared_ptr<ServerCall> MakeLeaderCall(std::shared_ptr<ServerCall> call,
                                           ReplicatedState& state);

}  // namespace cairn
