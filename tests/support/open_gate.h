// Lets everybody in who is not shut out: for tests of what stands behind the gate.
#pragma once

#include "chunkserver/service/access_gate.h"

namespace cairn {

class OpenGate final : public AccessGate {
 public:
  explicit OpenGate(FenceList& fences) : fences_(fences) {}

  Result<SessionTicket> Admit(const v1::ChunkAddress& chunk, std::string_view, uint32_t) override {
    const SessionId session(chunk.session());
    SessionUsePtr use = fences_.UseOf(session);
    if (use->Enter()) return SessionTicket(std::move(use));
    return Fail(ErrorCode::kFenced, "session {} is shut out", session);
  }

 private:
  FenceList& fences_;
};

}  // namespace cairn
