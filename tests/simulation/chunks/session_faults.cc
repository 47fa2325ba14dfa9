#include "tests/simulation/chunks/session_faults.h"

namespace cairn::simulation::chunks {

SessionFaults::SessionFaults(ChunkWorld& world, FileTruth& truth, MapKeeper& keeper,
                             Clients& clients)
    : world_(world),
      truth_(truth),
      keeper_(keeper),
      clients_(clients),
      random_(world.plan.seed, 0x5e55fa) {
  keeper_.sessions().OnEnd([this](SessionId session) { LetGo(session); },
                           [this](SessionId session) { truth_.EndSession(session); });
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

// Files whose last name is gone already: its chunks go when the fence has passed (rule C11).
void SessionFaults::LetGo(SessionId session) {
  for (const InodeId inode : truth_.HeldBy(session)) {
    if (random_.Chance(600)) truth_.Remove(inode, session);
  }
}

}  // namespace cairn::simulation::chunks
