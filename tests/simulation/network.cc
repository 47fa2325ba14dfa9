#include "tests/simulation/network.h"

#include <algorithm>

namespace cairn::simulation {

Time Network::Delay() {
  if (calm_) return random_.Between(50us, 1ms);
  if (random_.Chance(world_.plan.long_delays)) return random_.Between(100ms, 5s);
  return 20us + random_.Between(Time(0), world_.plan.max_delay);
}

Time Network::ArrivalOn(ServerId from, ServerId to) {
  const Time arrival = world_.scheduler.now() + Delay();
  if (!world_.plan.in_order) return arrival;
  Time& last = last_arrival_[{from, to}];
  last = std::max(last, arrival);
  return last;
}

void Network::Send(raft::Message message) {
  const ServerId from = message.from;
  const ServerId to = message.to;
  if (IsCut(from, to)) return;
  if (!calm_ && random_.Chance(world_.plan.loss)) return;
  const auto shared = std::make_shared<const raft::Message>(std::move(message));
  const int copies = !calm_ && random_.Chance(world_.plan.duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    world_.scheduler.At(ArrivalOn(from, to), [this, shared] {
      // A cut takes what is under way with it.
      if (!IsCut(shared->from, shared->to)) receiver_(shared);
    });
  }
}

void Network::Carry(Action action) {
  if (!calm_ && random_.Chance(world_.plan.loss)) return;
  const bool twice = !calm_ && random_.Chance(world_.plan.duplicates);
  if (twice) world_.scheduler.After(Delay(), action);
  world_.scheduler.After(Delay(), std::move(action));
}

void Network::Calm() {
  calm_ = true;
  cut_.clear();
}

}  // namespace cairn::simulation
