// One committed command becomes changes of rows. Pure and deterministic (rule M7).
#pragma once

#include "cairn/v1/command.pb.h"
#include "metaserver/store/transaction.h"

namespace cairn {

// Runs the command once per (session, sequence) (rule M3); requests without a session run each time
// they come. A command that fails changes nothing but its reply row; its error is in the outcome.
// If the transaction's store_status() is an error afterwards, the outcome means nothing.
v1::Outcome ApplyCommand(const v1::Command& command, MetadataTransaction& txn);

}  // namespace cairn
