#include "tests/simulation/chunks/session_faults.h"

namespace cairn::simulation::chunks {

SessionFaults::SessionFaults(ChunkWorld& world, FileTruth& truth, MapKeeper& keeper,
                             Clients& clients)
    : world_(world),
      truth_(truth),
      keeper_(keeper),
      clients_(clients),
      random_(world.plan.seed, 0x5e55fa) {
  keeper_.sessions().OnPassed([this](SessionId session) { PassOn(session); });
}

void SessionFaults::Start() {
  if (world_.plan.session_ends != Time(0)) Loop();
}

void SessionFaults::Loop() {
  world_.scheduler.After(random_.Around(world_.plan.session_ends), [this] {
    if (ended_) return;
    EndOne();
    Loop();
  });
}

void SessionFaults::EndOne() {
  ChunkClient& client = *clients_[random_.Below(clients_.size())];
  if (!client.has_session() || client.done()) return;
  const SessionId session = client.session();
  client.EndSession(random_.Chance(world_.plan.zombies));
  // At once, while its frames are on their way, or when its time to live is over.
  const Time after = random_.Chance(600) ? random_.Between(Time(1ms), Time(200ms))
                                         : random_.Between(Time(200ms), Time(6s));
  world_.scheduler.After(after, [this, session] { keeper_.sessions().End(session); });
}

void SessionFaults::PassOn(SessionId session) {
  for (const InodeId inode : truth_.EndSession(session)) {
    if (!truth_.file(inode).removed && random_.Chance(300)) truth_.Remove(inode);
  }
}

}  // namespace cairn::simulation::chunks
