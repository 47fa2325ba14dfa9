// Admin.SetFaults on a chunkserver: what shall go wrong in its files and connections. Only in
// builds with CAIRN_FAULTS; in others the call answers kUnimplemented.
#pragma once

#include "common/fault_plan.h"
#include "rpc/dispatcher.h"

namespace cairn {

// `plan` must outlive the dispatcher's use.
void RegisterFaultService(Dispatcher& dispatcher, FaultPlan& plan);

}  // namespace cairn
