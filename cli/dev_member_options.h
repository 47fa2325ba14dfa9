// What the verbs that mean one process of a dev cluster have in common.
#pragma once

#include <string>

#include "cli/dev/dev_cluster.h"
#include "cli/verb.h"

namespace cairn {

struct MemberOptions {
  std::string directory;
  std::string kind;
  int number = 0;
  bool json = false;

  void AddTo(CLI::App& verb) {
    verb.add_option("kind", kind, "meta, chunk or client")->required();
    verb.add_option("number", number, "Which one, from 1")->required();
    verb.add_option("--dir", directory, "Directory of the dev cluster");
    verb.add_flag("--json", json, "Answer in JSON");
  }

  Result<DevCluster> OpenCluster() const {
    ASSIGN_OR_RETURN(const std::string path,
                     DevDirectory(directory, LookupEnvironment::OfProcess()));
    return DevCluster::Open(path);
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
