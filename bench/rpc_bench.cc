// What a call costs over each carrier, beside a bare blocking socket, in one run.
//   rpc_bench [--rounds N] [--awake]
// Client and servers are two processes. The carriers take turns within a round, so that whatever
// else the machine does meets all of them; the table shows medians over the rounds. --awake keeps
// the cores from sleeping, which shows the work without the wake-ups.
#include <sys/wait.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>

#include "bench/rpc_carriers.h"
#include "common/logging.h"
#include "tests/support/test_certificates.h"

namespace cairn::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kTimePerCell = std::chrono::milliseconds(25);

struct Operation {
  const char* name;
  uint32_t request_bytes;
  uint32_t answer_bytes;
};
constexpr Operation kOperations[] = {
    {"null", 0, 0},
    {"read 4K", 0, 4u << 10},     {"write 4K", 4u << 10, 0},
    {"read 128K", 0, 128u << 10}, {"write 128K", 128u << 10, 0},
    {"read 1M", 0, 1u << 20},     {"write 1M", 1u << 20, 0}};

struct Sample {
  double wall_us = 0;
  double cpu_us = 0;  // of both processes
};

double CpuMicroseconds(pid_t server) {
  double total = 0;
  for (pid_t pid : {getpid(), server}) {
    clockid_t clock = 0;
    timespec used{};
    CAIRN_CHECK(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0);
    total += static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
  }
  return total;
}

Sample Measure(const Carrier& carrier, const Operation& operation, pid_t server) {
  carrier.call(operation.request_bytes, operation.answer_bytes);
  double cpu = CpuMicroseconds(server);
  auto begin = SteadyClock::now();
  auto now = begin;
  int calls = 0;
  for (; now - begin < kTimePerCell; ++calls) {
    carrier.call(operation.request_bytes, operation.answer_bytes);
    now = SteadyClock::now();
  }
  double wall = std::chrono::duration<double, std::micro>(now - begin).count();
  return {wall / calls, (CpuMicroseconds(server) - cpu) / calls};
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

Sample Median(const std::vector<Sample>& samples) {
  std::vector<double> wall;
  std::vector<double> cpu;
  for (const Sample& sample : samples) {
    wall.push_back(sample.wall_us);
    cpu.push_back(sample.cpu_us);
  }
  return {Median(wall), Median(cpu)};
}

using Table = std::map<std::string, std::vector<std::vector<Sample>>>;  // by carrier, operation

void Print(const std::vector<Carrier>& carriers, const Table& table) {
  fmt::print("us per call (ratio to the bare socket of its kind) [CPU us, client + server]\n");
  fmt::print("{:<12}", "");
  for (const Carrier& carrier : carriers) fmt::print("{:>26}", carrier.name);
  for (size_t op = 0; op < std::size(kOperations); ++op) {
    fmt::print("\n{:<12}", kOperations[op].name);
    for (const Carrier& carrier : carriers) {
      Sample sample = Median(table.at(carrier.name)[op]);
      bool is_unix = carrier.name.find("unix") != std::string::npos;
      double bare = Median(table.at(is_unix ? "bare unix" : "bare tcp")[op]).wall_us;
      fmt::print("{:>26}", fmt::format("{:.1f} ({:.2f}x) [{:.1f}]", sample.wall_us,
                                       sample.wall_us / bare, sample.cpu_us));
    }
  }
  fmt::print("\n");
}

// Idle-priority spinners: the cores never halt, and give way to real work at once.
class Spinners {
 public:
  explicit Spinners(bool enabled) {
    for (unsigned i = 0; enabled && i < std::thread::hardware_concurrency(); ++i) {
      pid_t pid = fork();
      if (pid != 0) {
        pids_.push_back(pid);
        continue;
      }
      sched_param parameter{};
      (void)sched_setscheduler(0, SCHED_IDLE, &parameter);
      for (pid_t parent = getppid(); getppid() == parent;) {
      }
      _exit(0);
    }
  }
  ~Spinners() {
    for (pid_t pid : pids_) {
      (void)kill(pid, SIGKILL);
      (void)waitpid(pid, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> pids_;
};

void Run(int rounds, const std::string& directory, std::shared_ptr<const TlsContext> tls,
         pid_t server, int from_child) {
  auto carriers = ConnectAll(ReadEndpoints(directory, from_child), std::move(tls));
  Table table;
  for (const Carrier& carrier : carriers) table[carrier.name].resize(std::size(kOperations));
  for (int round = 0; round < rounds; ++round) {
    for (size_t op = 0; op < std::size(kOperations); ++op) {
      for (const Carrier& carrier : carriers) {
        table[carrier.name][op].push_back(Measure(carrier, kOperations[op], server));
      }
    }
  }
  Print(carriers, table);
}

int Main(int argc, char** argv) {
  int rounds = 15;
  bool awake = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--awake") == 0) awake = true;
    if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++i]));
    }
  }
  std::string directory = std::filesystem::temp_directory_path() / "cairn_bench_XXXXXX";
  CAIRN_CHECK(mkdtemp(directory.data()) != nullptr);
  int up[2];
  int down[2];
  CAIRN_CHECK(pipe(up) == 0 && pipe(down) == 0);
  {
    Spinners spinners(awake);
    TestAuthority authority("bench-ca");
    auto tls = authority.Context("bench");
    pid_t server = fork();  // before any thread exists
    if (server == 0) {
      close(down[1]);
      RunServers(directory, tls, up[1], down[0]);
      _exit(0);
    }
    close(down[0]);
    Run(rounds, directory, tls, server, up[0]);
    close(down[1]);
    (void)waitpid(server, nullptr, 0);
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace cairn::bench

int main(int argc, char** argv) { return cairn::bench::Main(argc, argv); }
