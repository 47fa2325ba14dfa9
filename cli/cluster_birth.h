// The birth of a cluster on empty metaservers: all of them are adopted into one group, the one that
// leads is then told to found (DESIGN 10). 'cluster init' and 'dev up' share it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/admin_client.h"
#include "cli/group_view.h"
#include "common/status.h"

namespace cairn {

inline constexpr size_t kMostFounders = 5;

struct Birth {
  std::string cluster_id;
  uint32_t copies = 3;
  uint32_t min_active = 0;  // 0: the default for that many copies
  // With ids from 1 on and both addresses.
  std::vector<v1::MetaserverMember> founders;
  std::string verb_options;  // what verbs have to be told to mean it: " --dir D"; mostly nothing
};

// What is to be done next.
struct BirthStep {
  enum class Kind { kWait, kAdopt, kFound, kBorn };
  Kind kind = Kind::kWait;
  std::string waits_for;                    // kWait
  std::vector<v1::MetaserverMember> adopt;  // kAdopt: these are still empty
  // kBorn: members that answer with an empty directory. They are not who they were and must not
  // be adopted again under their old ids (rule M4).
  std::vector<GroupMember> lost;
};

// `survey` is one with the question GetStatus. `born_before`: the cluster is known to have been
// founded. kWrongCluster: one belongs to another cluster, or was adopted with other founders; or
// too many have lost their directories for a majority, and founding again would make an empty
// cluster over old chunks. Pure.
Result<BirthStep> PlanBirth(const Birth& birth, bool born_before, const Survey& survey);

// Looks how far the birth is and does what is due. Answers kBorn, or kWait to be called again.
Result<BirthStep> TakeBirthStep(AdminClient& client, const Birth& birth, bool born_before,
                                Deadline deadline);

// How to bring back one that lost its directory, in words.
std::string LostText(const Birth& birth, const GroupMember& member);

}  // namespace cairn
