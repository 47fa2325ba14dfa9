#include "rpc/server.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include "common/logging.h"
#include "rpc/hello.h"
#include "rpc/listener.h"
#include "rpc/server_connection.h"

namespace cairn {
namespace {

constexpr auto kSweepPeriod = std::chrono::seconds(1);
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // after EMFILE and its like
constexpr int kMaxBeingRefused = 64;

std::string PeerText(const sockaddr_storage& name, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&name), size, host.data(), host.size(),
                  service.data(), service.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  bool is_v6 = name.ss_family == AF_INET6;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host.data(), is_v6 ? "]" : "", service.data());
}

Result<std::vector<uint32_t>> UnixPeerGroups(int descriptor) {
  std::vector<uint32_t> groups(32);
  while (true) {
    auto bytes = static_cast<socklen_t>(groups.size() * sizeof(uint32_t));
    const int outcome = getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    if (outcome != 0 && errno != ERANGE) return Fail(Status::FromErrno(errno, "SO_PEERGROUPS"));
    groups.resize(bytes / sizeof(uint32_t));  // ERANGE: as many as there are
    if (outcome == 0) return groups;
  }
}

Result<PeerIdentity> UnixPeer(int descriptor) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Fail(Status::FromErrno(errno, "SO_PEERCRED"));
  }
  PeerIdentity peer;
  peer.kind = PeerIdentity::Kind::kUnixSocket;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  ASSIGN_OR_RETURN(peer.groups, UnixPeerGroups(descriptor));
  peer.address = fmt::format("unix:pid={},uid={}", credentials.pid, credentials.uid);
  return peer;
}

// A listening socket in the loop of the first worker.
struct Listener {
  Listener(asio::io_context& io, int descriptor, bool unix_socket)
      : socket(io, descriptor), pause(io), is_unix(unix_socket) {}
  asio::posix::stream_descriptor socket;  // used to wait only
  asio::steady_timer pause;
  bool is_unix;
};

class FrameServerImpl final : public FrameServer {
 public:
  FrameServerImpl(FrameServerOptions options, ServiceChooser choose)
      : options_(std::move(options)), shared_(std::make_shared<ServerShared>()) {
    shared_->choose = std::move(choose);
    shared_->faults = options_.faults;
    SetHello(options_.hello);
  }
  // Every connection is served by `dispatcher`, under the Hello that was set last.
  void ServeAll(const Dispatcher& dispatcher) {
    shared_->choose = [shared = shared_.get(), &dispatcher](const v1::Hello&) {
      absl::MutexLock lock(&shared->mu);
      return FrameService{&dispatcher, shared->hello};
    };
  }
  ~FrameServerImpl() override { Stop(); }

  Status Listen();
  void Run();

  uint16_t port() const override { return options_.listen.port; }
  void SetHello(const v1::Hello& hello) override {
    absl::MutexLock lock(&shared_->mu);
    shared_->hello = WithVersions(hello);
  }
  void Stop() override;

 private:
  struct Loop {
    std::shared_ptr<ServerWorker> worker = std::make_shared<ServerWorker>();
    asio::executor_work_guard<asio::io_context::executor_type> guard{worker->io.get_executor()};
    asio::steady_timer sweep{worker->io};
    std::thread thread;
  };

  void MakeLoops();
  void AddListener(int descriptor, bool is_unix);
  void Accept(Listener& listener);
  void AcceptAll(Listener& listener);
  void Admit(int descriptor, bool is_unix, const sockaddr_storage& name, socklen_t size);
  void Sweep(Loop& loop);

  FrameServerOptions options_;
  const std::shared_ptr<ServerShared> shared_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // confined to the first loop once running
  size_t doors_ = 1;      // so many of the loops take new connections
  size_t next_loop_ = 0;  // confined to the first loop
  bool owns_unix_path_ = false;
  absl::Mutex stop_mu_;  // held until the threads have ended: whoever stops second waits for that
  bool stopped_ ABSL_GUARDED_BY(stop_mu_) = false;
};

Status FrameServerImpl::Listen() {
  MakeLoops();
  if (!options_.listen.host.empty()) {
    ASSIGN_OR_RETURN(auto descriptors, ListenTcp(options_.listen.host, options_.listen.port));
    for (int descriptor : descriptors) AddListener(descriptor, false);
  }
  if (!options_.unix_path.empty()) {
    ASSIGN_OR_RETURN(int descriptor, ListenUnix(options_.unix_path));
    AddListener(descriptor, true);
    owns_unix_path_ = true;
  }
  return OkStatus();
}

// With several lanes the first loop is the door: it serves nobody, so that nobody keeps it shut.
void FrameServerImpl::MakeLoops() {
  const size_t threads = static_cast<size_t>(std::max(options_.threads, 1));
  if (options_.lanes <= 1) {
    for (size_t i = 0; i < threads; ++i) loops_.push_back(std::make_unique<Loop>());
    doors_ = threads;
    return;
  }
  loops_.push_back(std::make_unique<Loop>());
  for (size_t lane = 0; lane < options_.lanes; ++lane) {
    auto& workers = shared_->lanes.emplace_back();
    for (size_t i = 0; i < threads; ++i) {
      loops_.push_back(std::make_unique<Loop>());
      workers.push_back(loops_.back()->worker);
    }
  }
}

void FrameServerImpl::AddListener(int descriptor, bool is_unix) {
  listeners_.push_back(
      std::make_unique<Listener>(loops_.front()->worker->io, descriptor, is_unix));
}

void FrameServerImpl::Run() {
  for (auto& listener : listeners_) Accept(*listener);
  for (size_t i = 0; i < loops_.size(); ++i) {
    Loop& loop = *loops_[i];
    Sweep(loop);
    loop.thread = std::thread([worker = loop.worker] { worker->io.run(); });
    std::string name = fmt::format("{}-{}", options_.name.substr(0, 12), i);
    (void)pthread_setname_np(loop.thread.native_handle(), name.c_str());
  }
}

void FrameServerImpl::Accept(Listener& listener) {
  listener.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, &listener](const asio::error_code& error) {
                               if (!error) AcceptAll(listener);
                             });
}

void FrameServerImpl::AcceptAll(Listener& listener) {
  while (true) {
    sockaddr_storage name{};
    socklen_t size = sizeof(name);
    int descriptor = accept4(listener.socket.native_handle(), reinterpret_cast<sockaddr*>(&name),
                             &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor >= 0) {
      Admit(descriptor, listener.is_unix, name, size);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno == EAGAIN) return Accept(listener);
    LOG_ERROR("cannot accept connections cause={}", Status::FromErrno(errno, "accept").message());
    listener.pause.expires_after(kAcceptPause);
    listener.pause.async_wait([this, &listener](const asio::error_code& error) {
      if (!error) Accept(listener);
    });
    return;
  }
}

void FrameServerImpl::Admit(int descriptor, bool is_unix, const sockaddr_storage& name,
                            socklen_t size) {
  PrepareSocket(descriptor, is_unix);
  bool use_tls = !is_unix && options_.tls != nullptr;
  auto stream = use_tls ? Stream::Tls(descriptor, *options_.tls, Stream::Side::kServer)
                        : Result<std::unique_ptr<Stream>>(Stream::Plain(descriptor));
  if (!stream.has_value()) return;
  PeerIdentity peer;
  if (is_unix) {
    auto found = UnixPeer(descriptor);
    if (!found.has_value()) return;
    peer = *std::move(found);
  } else {
    if (use_tls) peer.kind = PeerIdentity::Kind::kCertificate;
    peer.address = PeerText(name, size);
  }
  int count = ++shared_->connections;
  if (count > options_.max_connections + kMaxBeingRefused) {
    --shared_->connections;
    return;  // a flood: not even a word of goodbye
  }
  auto& worker = loops_[next_loop_++ % doors_]->worker;
  auto connection = std::make_shared<ServerConnection>(
      shared_, worker, *std::move(stream), std::move(peer), count > options_.max_connections);
  asio::post(worker->io, [shared = shared_, worker, connection] {
    if (shared->stopped) return connection->Close();
    worker->connections.insert(connection);
    connection->Start();
  });
}

void FrameServerImpl::Sweep(Loop& loop) {
  loop.sweep.expires_after(kSweepPeriod);
  loop.sweep.async_wait([this, &loop](const asio::error_code& error) {
    if (error || shared_->stopped) return;
    // A copy: a connection that closes leaves the set.
    auto connections = loop.worker->connections;
    for (const auto& connection : connections) connection->Sweep();
    Sweep(loop);
  });
}

void FrameServerImpl::Stop() {
  absl::MutexLock lock(&stop_mu_);
  if (std::exchange(stopped_, true)) return;
  shared_->stopped = true;
  for (auto& loop : loops_) {
    asio::post(loop->worker->io, [this, raw = loop.get()] {
      if (raw == loops_.front().get()) listeners_.clear();
      raw->sweep.cancel();
      auto connections = std::move(raw->worker->connections);
      raw->worker->connections.clear();
      for (const auto& connection : connections) connection->EndForStop();
      raw->guard.reset();
    });
  }
  for (auto& loop : loops_) {
    if (loop->thread.joinable()) loop->thread.join();
  }
  // A connection may have been handed to a loop that had just ended; here it is closed.
  for (auto& loop : loops_) {
    loop->worker->io.restart();
    (void)loop->worker->io.poll();
  }
  listeners_.clear();
  if (owns_unix_path_) (void)unlink(options_.unix_path.c_str());
}

}  // namespace

Result<std::unique_ptr<FrameServer>> FrameServer::Start(FrameServerOptions options,
                                                        const Dispatcher& dispatcher) {
  auto server = std::make_unique<FrameServerImpl>(std::move(options), nullptr);
  server->ServeAll(dispatcher);
  RETURN_IF_ERROR(server->Listen());
  server->Run();
  return server;
}

Result<std::unique_ptr<FrameServer>> FrameServer::Start(FrameServerOptions options,
                                                        ServiceChooser choose) {
  auto server = std::make_unique<FrameServerImpl>(std::move(options), std::move(choose));
  RETURN_IF_ERROR(server->Listen());
  server->Run();
  return server;
}

}  // namespace cairn
