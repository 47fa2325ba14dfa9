// What agreement costs: three members as processes of their own on loopback, beside three processes
// that only write and fdatasync, taken in turn in one run.
//   raft_bench [--directory D] [--seconds S] [--rounds N]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/logging.h"
#include "raft/frame_transport.h"
#include "raft/raft_node.h"
#include "rpc/server.h"

namespace cairn {
namespace {

constexpr size_t kEntryBytes = 128;
constexpr int kMembers = 3;
constexpr int kManyClients = 64;

struct Options {
  std::string directory = "/tmp/cairn_raft_bench";
  int seconds = 5;
  int rounds = 3;
};

// What a process reports through a pipe.
struct Report {
  double p50_us = 0;
  double p99_us = 0;
  double per_second = 0;
  double cpu_us_each = 0;
  uint64_t count = 0;
  bool leads = false;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Report Summarise(std::vector<double> latencies_us, double seconds) {
  Report report;
  report.count = latencies_us.size();
  if (latencies_us.empty()) return report;
  std::sort(latencies_us.begin(), latencies_us.end());
  report.p50_us = latencies_us[latencies_us.size() / 2];
  report.p99_us = latencies_us[latencies_us.size() * 99 / 100];
  report.per_second = static_cast<double>(latencies_us.size()) / seconds;
  return report;
}

double MicrosecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

class CountingMachine final : public StateMachine {
 public:
  std::vector<std::string> Apply(std::span<const LogEntry> entries) override {
    absl::MutexLock lock(&mu_);
    point_.index = entries.back().index;
    point_.term = entries.back().term;
    return std::vector<std::string>(entries.size());
  }
  raft::SnapshotPoint Applied() override {
    absl::MutexLock lock(&mu_);
    return point_;
  }
  Result<LogIndex> MakeDurable() override { return Applied().index; }
  Result<StateSnapshot> TakeSnapshot() override {
    return Fail(ErrorCode::kUnavailable, "the benchmark keeps its members together");
  }
  Status Install(const raft::SnapshotPoint&, RowSource&) override { return OkStatus(); }

 private:
  absl::Mutex mu_;
  raft::SnapshotPoint point_ ABSL_GUARDED_BY(mu_);
};

// Proposes one entry after the other until the time is up.
void Propose(RaftNode& node, Deadline until, std::vector<double>& latencies_us) {
  while (!until.Passed()) {
    absl::Mutex mu;
    bool finished = false;
    const auto begin = std::chrono::steady_clock::now();
    node.Propose(std::string(kEntryBytes, 'x'), [&](const Result<std::string>&) {
      absl::MutexLock lock(&mu);
      finished = true;
    });
    absl::MutexLock lock(&mu);
    mu.Await(absl::Condition(&finished));
    latencies_us.push_back(MicrosecondsSince(begin));
  }
}

Report Drive(RaftNode& node, int clients, int seconds) {
  std::vector<std::vector<double>> latencies(static_cast<size_t>(clients));
  std::vector<std::thread> threads;
  const Deadline until = Deadline::After(std::chrono::seconds(seconds));
  for (auto& own : latencies) threads.emplace_back([&] { Propose(node, until, own); });
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& own : latencies) all.insert(all.end(), own.begin(), own.end());
  return Summarise(std::move(all), seconds);
}

// One member: waits for a leader, drives the load if it is the one, and reports its own CPU time.
Report RunMember(const Options& options, int self, const std::vector<uint16_t>& ports,
                 int clients) {
  v1::Hello hello;
  hello.set_server(static_cast<uint32_t>(self));
  hello.set_role(v1::ROLE_METASERVER);
  ChannelOptions channel;
  channel.hello = hello;
  ChannelPool channels(channel, "raft-poller");
  FrameTransport transport(channels, [](const std::string& text) -> std::optional<Address> {
    return *ParseAddress(text, 0);
  });
  CountingMachine machine;
  SystemClock clock;
  RaftNodeOptions node_options;
  node_options.directory = options.directory + "/" + std::to_string(self);
  node_options.files = &PosixFiles();
  node_options.clock = &clock;
  auto node = *RaftNode::Open(node_options, machine, transport);
  transport.SetNode(node.get());
  Dispatcher dispatcher;
  RegisterRaftService(dispatcher, *node, [] { return std::string(); });
  FrameServerOptions server;
  server.listen = {"127.0.0.1", ports[static_cast<size_t>(self - 1)], ""};
  server.hello = hello;
  const auto frames = *FrameServer::Start(server, dispatcher);
  raft::Members founders;
  for (int id = 1; id <= kMembers; ++id) {
    founders[ServerId(static_cast<uint32_t>(id))] =
        fmt::format("127.0.0.1:{}", ports[static_cast<size_t>(id - 1)]);
  }
  CAIRN_CHECK(node->Adopt(ServerId(static_cast<uint32_t>(self)), founders).ok());
  node->Start();
  while (node->Describe().core.leader == ServerId() || node->Describe().applied.value == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double cpu = CpuSeconds();
  const LogIndex before = node->Describe().applied;
  Report report;
  if (node->ServingTerm() != Term()) {
    report = Drive(*node, clients, options.seconds);
    report.leads = true;
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(options.seconds));
  }
  const double spent = CpuSeconds() - cpu;
  report.count = node->Describe().applied.value - before.value;
  report.cpu_us_each = spent * 1e6 / static_cast<double>(std::max<uint64_t>(1, report.count));
  // Nobody leaves while another still counts on it.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  frames->Stop();
  transport.Stop();
  node->Stop();
  return report;
}

// What the disk alone costs, with as many writers as the group has.
Report RunWriter(const Options& options, int self) {
  const std::string path = options.directory + "/bare" + std::to_string(self);
  auto file = *PosixFiles().Open(path, OpenMode::kCreate);
  constexpr uint64_t kFileBytes = 16u << 20;
  CAIRN_CHECK(file->Preallocate(kFileBytes).ok());
  const std::string zeros(kFileBytes, '\0');
  CAIRN_CHECK(file->Write(0, std::as_bytes(std::span(zeros.data(), zeros.size()))).ok());
  CAIRN_CHECK(file->Sync().ok());
  const std::string record(kEntryBytes + 32, 'x');
  std::vector<double> latencies;
  uint64_t offset = 0;
  for (const Deadline until = Deadline::After(std::chrono::seconds(options.seconds));
       !until.Passed();) {
    const auto begin = std::chrono::steady_clock::now();
    CAIRN_CHECK(file->Write(offset, std::as_bytes(std::span(record.data(), record.size()))).ok());
    CAIRN_CHECK(file->Sync().ok());
    latencies.push_back(MicrosecondsSince(begin));
    offset = (offset + record.size()) % (kFileBytes - record.size());
  }
  return Summarise(std::move(latencies), options.seconds);
}

template <typename Work>
std::vector<Report> InProcesses(const Work& work) {
  std::vector<std::array<int, 2>> pipes(kMembers);
  std::vector<pid_t> children;
  for (int self = 1; self <= kMembers; ++self) {
    auto& ends = pipes[static_cast<size_t>(self - 1)];
    CAIRN_CHECK(pipe(ends.data()) == 0);
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      const Report report = work(self);
      CAIRN_CHECK(write(ends[1], &report, sizeof(report)) == sizeof(report));
      _exit(0);
    }
    children.push_back(child);
    close(ends[1]);
  }
  std::vector<Report> reports(kMembers);
  for (size_t i = 0; i < pipes.size(); ++i) {
    CAIRN_CHECK(read(pipes[i][0], &reports[i], sizeof(Report)) == sizeof(Report));
    close(pipes[i][0]);
    waitpid(children[i], nullptr, 0);
  }
  return reports;
}

std::vector<uint16_t> FreePorts() {
  std::vector<uint16_t> ports;
  Dispatcher nothing;
  std::vector<std::unique_ptr<FrameServer>> held;
  for (int i = 0; i < kMembers; ++i) {
    FrameServerOptions server;
    server.listen = {"127.0.0.1", 0, ""};
    held.push_back(*FrameServer::Start(server, nothing));
    ports.push_back(held.back()->port());
  }
  for (auto& server : held) server->Stop();
  return ports;
}

void Fresh(const std::string& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
}

void Round(const Options& options) {
  Fresh(options.directory);
  std::vector<Report> bare = InProcesses([&](int self) { return RunWriter(options, self); });
  std::sort(bare.begin(), bare.end(),
            [](const Report& a, const Report& b) { return a.p50_us < b.p50_us; });
  std::printf("bare write+fdatasync x3: p50 %.0f %.0f %.0f us\n", bare[0].p50_us, bare[1].p50_us,
              bare[2].p50_us);
  for (const int clients : {1, kManyClients}) {
    Fresh(options.directory);
    const std::vector<uint16_t> ports = FreePorts();
    const std::vector<Report> members =
        InProcesses([&](int self) { return RunMember(options, self, ports, clients); });
    double follower_cpu = 0;
    for (const Report& member : members) follower_cpu += member.leads ? 0 : member.cpu_us_each / 2;
    for (const Report& member : members) {
      if (!member.leads) continue;
      std::printf(
          "%2d clients: p50 %.0f us p99 %.0f us, %.0f/s, CPU per entry leader %.1f us follower "
          "%.1f us, p50 %.2fx of the second of three bare writers\n",
          clients, member.p50_us, member.p99_us, member.per_second, member.cpu_us_each,
          follower_cpu, member.p50_us / bare[1].p50_us);
    }
  }
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  CLI::App app("What agreement between three metaservers costs");
  cairn::Options options;
  app.add_option("--directory", options.directory, "On the disk to be measured")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "For each measurement")->capture_default_str();
  app.add_option("--rounds", options.rounds, "Times all of it")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  CAIRN_CHECK(cairn::InitLogging({.level = "warn"}).ok());
  for (int round = 0; round < options.rounds; ++round) cairn::Round(options);
  std::filesystem::remove_all(options.directory);
  return 0;
}
