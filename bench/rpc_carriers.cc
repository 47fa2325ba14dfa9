#include "bench/rpc_carriers.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "bench/bare_socket.h"
#include "cairn/v1/common.pb.h"
#include "cairn/v1/metadata.pb.h"
#include "rpc/channel.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/listener.h"
#include "rpc/poller.h"
#include "rpc/server.h"

namespace cairn::bench {
namespace {

// gRPC carries its bytes inside messages: a symlink's target, there and back.
constexpr char kGrpcWrite[] = "/cairn.v1.Metadata/MakeSymlink";
constexpr char kGrpcRead[] = "/cairn.v1.Metadata/ReadSymlink";
constexpr size_t kLargest = 1u << 20;

template <typename T>
T Must(Result<T> result) {
  if (!result.has_value()) {
    fmt::print(stderr, "{}\n", result.error().ToString());
    std::exit(1);
  }
  return *std::move(result);
}

Deadline Patience() { return Deadline::After(std::chrono::seconds(30)); }

void AddMethods(Dispatcher& dispatcher) {
  Payload answer = Payload::CopyOf(std::string(kLargest, 'x'));
  // The request's code says how many bytes shall come back.
  dispatcher.Handle<v1::StatusDetail, v1::StatusDetail>(
      v1::CHUNK_READ, [answer](const Call<v1::StatusDetail, v1::StatusDetail>& call) {
        call.Reply({}, answer.Slice(0, std::min<size_t>(call.request().code(), kLargest)));
      });
  using ReadSymlink = Call<v1::ReadSymlinkRequest, v1::ReadSymlinkResponse>;
  dispatcher.Handle<v1::ReadSymlinkRequest, v1::ReadSymlinkResponse>(
      v1::METADATA_READ_SYMLINK, [](const ReadSymlink& call) {
        v1::ReadSymlinkResponse response;
        response.set_target(std::string(std::min<size_t>(call.request().inode(), kLargest), 'x'));
        call.Reply(response);
      });
  using MakeSymlink = Call<v1::MakeSymlinkRequest, v1::EntryResponse>;
  dispatcher.Handle<v1::MakeSymlinkRequest, v1::EntryResponse>(
      v1::METADATA_MAKE_SYMLINK, [](const MakeSymlink& call) { call.Reply({}); });
}

int Blocking(int descriptor) {
  (void)fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  return descriptor;
}

std::unique_ptr<FrameServer> StartFrames(const Dispatcher& dispatcher, const std::string& path,
                                         std::shared_ptr<const TlsContext> tls) {
  FrameServerOptions options;
  options.unix_path = path;
  if (path.empty()) options.listen.host = "127.0.0.1";
  options.tls = std::move(tls);
  return Must(FrameServer::Start(options, dispatcher));
}

Caller FramesCaller(const Address& address, std::shared_ptr<const TlsContext> tls,
                    std::shared_ptr<Poller> poller) {
  ChannelOptions options;
  options.tls = std::move(tls);
  auto channel = MakeChannel(address, options, std::move(poller));
  Payload data = Payload::CopyOf(std::string(kLargest, 'y'));
  return [channel, data](uint32_t request_bytes, uint32_t answer_bytes) {
    v1::StatusDetail request;
    request.set_code(answer_bytes);
    auto reply = Must(channel->CallRaw(v1::CHUNK_READ, request, data.Slice(0, request_bytes),
                                       Patience()));
    CAIRN_CHECK(reply.payload.size() == answer_bytes);
  };
}

Caller GrpcCaller(const Address& address, std::shared_ptr<const TlsContext> tls) {
  std::shared_ptr<GrpcChannel> channel = GrpcChannel::Make(address, std::move(tls));
  return [channel](uint32_t request_bytes, uint32_t answer_bytes) {
    Status status;
    if (request_bytes > 0) {
      v1::MakeSymlinkRequest request;
      request.set_target(std::string(request_bytes, 'y'));
      v1::EntryResponse response;
      status = channel->Call(kGrpcWrite, request, response, Patience());
    } else {
      v1::ReadSymlinkRequest request;
      request.set_inode(answer_bytes);
      v1::ReadSymlinkResponse response;
      status = channel->Call(kGrpcRead, request, response, Patience());
    }
    if (!status.ok()) Must<int>(Fail(status));
  };
}

Caller MakeBareCaller(const Address& address) {
  auto client = std::make_shared<BareClient>(address);
  return [client](uint32_t request_bytes, uint32_t answer_bytes) {
    client->Call(request_bytes, answer_bytes);
  };
}

}  // namespace

void RunServers(const std::string& directory, std::shared_ptr<const TlsContext> tls,
                int to_parent, int from_parent) {
  Dispatcher dispatcher;
  AddMethods(dispatcher);
  uint16_t ports[4] = {};
  int bare_tcp = Blocking(Must(ListenTcp("127.0.0.1", ports[0])).front());
  int bare_unix = Blocking(Must(ListenUnix(directory + "/bare.sock")));
  std::thread(ServeBare, bare_tcp).detach();
  std::thread(ServeBare, bare_unix).detach();
  auto plain = StartFrames(dispatcher, "", nullptr);
  auto secure = StartFrames(dispatcher, "", tls);
  auto local = StartFrames(dispatcher, directory + "/frames.sock", nullptr);
  auto grpc = Must(GrpcServer::Start({Address{"127.0.0.1", 0, ""}, tls, {"cairn.v1.Metadata"}},
                                     dispatcher));
  ports[1] = plain->port();
  ports[2] = secure->port();
  ports[3] = grpc->port();
  CAIRN_CHECK(write(to_parent, ports, sizeof(ports)) == sizeof(ports));
  char end = 0;
  (void)!read(from_parent, &end, 1);
}

Endpoints ReadEndpoints(const std::string& directory, int from_child) {
  uint16_t ports[4] = {};
  CAIRN_CHECK(read(from_child, ports, sizeof(ports)) == sizeof(ports));
  return {ports[0], ports[1], ports[2], ports[3], directory + "/bare.sock",
          directory + "/frames.sock"};
}

std::vector<Carrier> ConnectAll(const Endpoints& endpoints, std::shared_ptr<const TlsContext> tls) {
  auto poller = Poller::Start("bench-poller");
  auto tcp = [](uint16_t port) { return Address{"127.0.0.1", port, ""}; };
  auto local = [](const std::string& path) { return Address{"", 0, path}; };
  return {{"bare tcp", MakeBareCaller(tcp(endpoints.bare_tcp))},
          {"bare unix", MakeBareCaller(local(endpoints.bare_unix))},
          {"frames tcp", FramesCaller(tcp(endpoints.frames_tcp), nullptr, poller)},
          {"frames unix", FramesCaller(local(endpoints.frames_unix), nullptr, poller)},
          {"frames tls", FramesCaller(tcp(endpoints.frames_tls), tls, poller)},
          {"grpc tls", GrpcCaller(tcp(endpoints.grpc_tls), tls)}};
}

}  // namespace cairn::bench
