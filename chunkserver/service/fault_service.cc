#include "chunkserver/service/fault_service.h"

#include "cairn/v1/admin.pb.h"
#include "common/logging.h"

namespace cairn {
namespace {

Status SetFaults([[maybe_unused]] FaultPlan& plan,
                 [[maybe_unused]] const v1::SetFaultsRequest& request) {
#ifdef CAIRN_FAULTS
  ASSIGN_OR_RETURN(std::vector<FaultRule> rules, ParseFaultRules(request.rules()));
  LOG_WARN("fault rules set count={}", rules.size());
  plan.Set(std::move(rules));
  return OkStatus();
#else
  return Status::Error(ErrorCode::kUnimplemented, "this build has no faults (CAIRN_FAULTS)");
#endif
}

}  // namespace

void RegisterFaultService(Dispatcher& dispatcher, FaultPlan& plan) {
  dispatcher.Handle<v1::SetFaultsRequest, v1::SetFaultsResponse>(
      v1::ADMIN_SET_FAULTS, [&plan](const Call<v1::SetFaultsRequest, v1::SetFaultsResponse>& call) {
        const Status status = SetFaults(plan, call.request());
        status.ok() ? call.Reply({}) : call.Fail(status);
      });
}

}  // namespace cairn
