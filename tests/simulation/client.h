// A client: one session, a few requests at a time, each sent again and again under its sequence,
// to whichever member, until it is answered (rule M3).
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tests/simulation/client_files.h"
#include "tests/simulation/network.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

class Machine;

// Where clients and operators look for members.
class Members {
 public:
  virtual ~Members() = default;
  virtual Machine* Find(ServerId id) = 0;   // nullptr: nobody there
  virtual std::vector<ServerId> Ids() = 0;  // worth a try
};

// Thread-compatible.
class Client {
 public:
  Client(World& world, Network& network, Members& members, uint64_t number, Time think_time);

  void Start();
  // Asks nothing new; what is under way goes on.
  void Stop() { stopped_ = true; }
  bool idle() const { return outstanding_.empty(); }

 private:
  struct Outstanding {
    Work work;
    uint64_t sequence = 0;  // 0: not a change of the session
    Time asked{};
    LogIndex began;
    int attempt = 0;
  };

  void FoundCluster();
  void OpenSession();
  void MakeDirectories();
  void FindShared(uint64_t own);
  void Think();
  // Asks until there is an answer.
  void Ask(Work work);
  void Send(uint64_t id);
  void SendTo(ServerId target, uint64_t id, const Outstanding& request);
  void Hear(uint64_t id, int attempt, ServerId from, const Reply& reply);
  void HearRefusal(uint64_t id, ServerId from, const Reply& reply);
  void Finish(uint64_t id, const Reply& reply);
  void LoseSession();
  uint64_t LowestUnanswered() const;

  World& world_;
  Network& network_;
  Members& members_;
  const uint64_t number_;
  const Time think_time_;  // between two requests
  Random random_;
  ClientFiles files_;
  bool stopped_ = false;
  uint64_t session_ = 0;
  int sessions_had_ = 0;
  uint64_t next_sequence_ = 1;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Outstanding> outstanding_;
  ServerId leader_;  // believed
};

}  // namespace cairn::simulation
