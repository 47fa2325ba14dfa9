// What the verbs that mean one process of a dev cluster have in common.
#pragma once

#include <string>

#include "cli/dev/dev_cluster.h"
#include "cli/dev/metaservers.h"
#include "cli/verb.h"

namespace cairn {

struct MemberOptions {
  static constexpr char kLeader[] = "leader";

  std::string directory;
  std::string kind;
  std::string number;
  bool json = false;

  void AddTo(CLI::App& verb) {
    verb.add_option("kind", kind, "meta, chunk or client")->required();
    verb.add_option("number", number, "Which one, from 1; or 'leader', of the metas")
        ->required()
        ->check([](const std::string& text) {
          return text == kLeader ? "" : CLI::Range(1, kMaxDevServers)(text);
        });
    verb.add_option("--dir", directory, "Directory of the dev cluster");
    verb.add_flag("--json", json, "Answer in JSON");
  }

  Result<DevCluster> OpenCluster() const {
    ASSIGN_OR_RETURN(const std::string path,
                     DevDirectory(directory, LookupEnvironment::OfProcess()));
    return DevCluster::Open(path);
  }

  Result<DevMember> Find(const DevCluster& cluster) const {
    if (number != kLeader) return cluster.Find(kind, std::stoi(number));
    if (kind == "meta") return FindLeader(cluster);
    return Fail(ErrorCode::kInvalidArgument, "only a meta is a leader, not a {}", kind);
  }

  void Tell(const DevMember& member, const char* what, const Console& console) const {
    if (json) {
      console.out << "{\"name\":" << QuoteJson(member.name()) << ",\"state\":" << QuoteJson(what)
                  << "}\n";
    } else {
      console.out << member.name() << " is " << what << "\n";
    }
  }
};

}  // namespace cairn
