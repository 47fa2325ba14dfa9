// Exactly once (rule M3): the outcome of each outstanding request of a session is a row, and a
// retry is answered from it. Pure.
#pragma once

#include <optional>

#include "cairn/v1/command.pb.h"
#include "common/status.h"
#include "metaserver/store/transaction.h"

namespace cairn {

// A session may have at most this many requests unanswered.
inline constexpr uint64_t kMaxOutstanding = 65536;

// The id of the request inside a command; nullptr for commands of the metaserver itself.
const v1::RequestId* RequestIdOf(const v1::Command& command);

// The recorded outcome of a retry; nullopt: the request is new and must be run. Forgets what the
// session has been answered.
// kUnknownSession; kStaleRequest: answered long ago, never to be run again; kInvalidArgument.
Result<std::optional<v1::Outcome>> FindReply(const v1::RequestId& id, MetadataTransaction& txn);

// Has the request inside this command run?
bool HasReply(const ReadView& view, const v1::Command& command);

void StoreReply(const v1::RequestId& id, const v1::Outcome& outcome, MetadataTransaction& txn);

}  // namespace cairn
