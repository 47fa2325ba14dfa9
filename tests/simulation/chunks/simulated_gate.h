// The real gate, with what can be done wrong around it.
#pragma once

#include <string_view>

#include "chunkserver/service/token_gate.h"
#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {

class SimulatedGate final : public AccessGate {
 public:
  explicit SimulatedGate(TokenGate& gate) : gate_(gate) {}

  Result<SessionTicket> Admit(const v1::ChunkAddress& chunk, std::string_view token,
                              uint32_t rights) override {
    Result<SessionTicket> ticket = gate_.Admit(chunk, token, rights);
    const bool is_fenced = !ticket.has_value() && ticket.error().code() == ErrorCode::kFenced;
    if (is_fenced && ChunkBugIs(ChunkBug::kFenceIgnored)) return SessionTicket();
    if (ticket.has_value() && ChunkBugIs(ChunkBug::kTicketDropped)) return SessionTicket();
    return ticket;
  }

 private:
  TokenGate& gate_;
};

}  // namespace cairn::simulation::chunks
