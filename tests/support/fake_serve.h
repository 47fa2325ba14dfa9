// How every fake handler answers: after the script had its say.
#pragma once

#include <memory>
#include <utility>

#include "rpc/dispatcher.h"
#include "tests/support/fake_faults.h"

namespace cairn::testing {

// `run` is Result<Response>(const Request&, const Payload&, Payload& answer).
template <typename Request, typename Response, typename Run>
void ServeScripted(Dispatcher& dispatcher, FaultScript* script, v1::Method method,
                   uint64_t (*inode_of)(const Request&), Run run) {
  dispatcher.Handle<Request, Response>(method, [=](Call<Request, Response> call) {
    std::optional<Fault> fault = script->Take(method);
    uint64_t inode = inode_of(call.request());
    if (fault && !fault->run_first && !fault->hold) {
      script->Saw(method, inode, false);
      return call.Fail(fault->status);
    }
    auto payload = std::make_shared<Payload>();
    Result<Response> result = run(call.request(), call.payload(), *payload);
    script->Saw(method, inode, result.has_value());
    auto answer = [call, result, payload, fault] {
      if (fault && !fault->status.ok()) return call.Fail(fault->status);
      if (!result.has_value()) return call.Fail(result.error());
      call.Reply(*result, *payload);
    };
    if (fault && fault->hold) return script->Hold(answer);
    answer();
  });
}

}  // namespace cairn::testing
