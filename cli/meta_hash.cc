#include <algorithm>
#include <thread>

#include "cli/admin_client.h"
#include "cli/group_view.h"
#include "cli/survey.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr Duration kTryTime = std::chrono::seconds(1);

struct HashOptions {
  ClusterOptions cluster;
  int timeout_s = 10;
};

struct MemberHash {
  GroupMember member;
  Status status;  // ok: `hash` is what its state's hash was there
  uint64_t hash = 0;
};

// Until the member has applied that index.
MemberHash AwaitHash(GrpcChannel& channel, const GroupMember& member, uint64_t index,
                     Deadline deadline) {
  v1::GetStateHashRequest request;
  request.set_index(index);
  MemberHash result{member, {}, 0};
  for (;;) {
    v1::GetStateHashResponse response;
    result.status = channel.Call("/cairn.v1.Admin/GetStateHash", request, response,
                                 Deadline::After(std::min<Duration>(kTryTime, deadline.Left())));
    result.hash = response.hash();
    if (result.status.ok() || deadline.Left() <= kRest) return result;
    std::this_thread::sleep_for(kRest);
  }
}

Result<std::vector<MemberHash>> FetchHashes(AdminClient& client, uint64_t index,
                                            Deadline deadline) {
  ASSIGN_OR_RETURN(const Answers answers, AskBest(client, {}, Deadline::After(kSurveyTime)));
  const GroupView group = MakeGroupView(answers.survey);
  std::vector<MemberHash> hashes;
  for (const GroupMember& member : group.members) {
    if (!member.part.empty()) hashes.push_back({member, {}, 0});
  }
  std::vector<std::thread> threads;
  for (MemberHash& each : hashes) {
    const auto address = ParseAddress(each.member.grpc, kMetaserverGrpcPort);
    if (!address.has_value()) {
      each.status = address.error();
      continue;
    }
    GrpcChannel& channel = client.ChannelTo(*address);
    threads.emplace_back([&each, &channel, index, deadline] {
      each = AwaitHash(channel, GroupMember(each.member), index, deadline);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return hashes;
}

std::string HashText(const MemberHash& each) {
  return each.status.ok() ? fmt::format("{:016x}", each.hash) : "-";
}

void PrintHashes(const std::vector<MemberHash>& hashes, uint64_t index, const Console& console) {
  Table table({"METASERVER", "ADDRESS", "INDEX", "HASH"});
  for (const MemberHash& each : hashes) {
    table.Add({std::to_string(each.member.server), each.member.address, std::to_string(index),
               HashText(each)},
              each.status.ok() ? Colour::kNone : Colour::kBad);
  }
  table.Print(console);
}

std::string HashesJson(const std::vector<MemberHash>& hashes, uint64_t index, bool equal) {
  std::string list;
  for (const MemberHash& each : hashes) {
    list += fmt::format("{}{{\"server\":{},\"hash\":{}}}", list.empty() ? "" : ",",
                        each.member.server, each.status.ok() ? QuoteJson(HashText(each)) : "null");
  }
  return fmt::format("{{\"index\":{},\"equal\":{},\"members\":[{}]}}", index, equal, list);
}

// Whether all that answered said the same.
bool AllEqual(const std::vector<MemberHash>& hashes) {
  const MemberHash* first = nullptr;
  for (const MemberHash& each : hashes) {
    if (!each.status.ok()) continue;
    if (first == nullptr) first = &each;
    if (each.hash != first->hash) return false;
  }
  return true;
}

ExitCode Judge(const std::vector<MemberHash>& hashes, const Console& console) {
  if (!AllEqual(hashes)) {
    console.err << "cairn: the members differ at the same index: their states are not the same\n";
    return ExitCode::kFailed;
  }
  ExitCode code = ExitCode::kOk;
  for (const MemberHash& each : hashes) {
    if (each.status.ok()) continue;
    console.err << fmt::format("cairn: metaserver {} did not say: {}\n", each.member.server,
                               each.status);
    code = ExitCode::kPartial;
  }
  return code;
}

Result<ExitCode> CompareHashes(const HashOptions& options, const Console& console) {
  const Deadline deadline = Deadline::After(std::chrono::seconds(options.timeout_s));
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options.cluster, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  v1::GetStateHashResponse mark;
  RETURN_IF_ERROR(client.CallLeader("GetStateHash", v1::GetStateHashRequest(), mark, deadline));
  ASSIGN_OR_RETURN(const std::vector<MemberHash> hashes,
                   FetchHashes(client, mark.index(), deadline));
  if (options.cluster.json) {
    console.out << HashesJson(hashes, mark.index(), AllEqual(hashes)) << "\n";
  } else {
    PrintHashes(hashes, mark.index(), console);
  }
  return Judge(hashes, console);
}
}  // namespace

void AddMetaHashVerb(CLI::App& meta, Action& chosen) {
  CLI::App& verb =
      *meta.add_subcommand("hash", "Compares the state of all metaservers at one place in the log");
  auto options = std::make_shared<HashOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("--timeout", options->timeout_s, "Seconds to wait until all have come so far")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return CompareHashes(*options, console); };
  });
}

}  // namespace cairn
