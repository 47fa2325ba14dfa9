#include "chunkserver/metaserver_calls.h"

#include <algorithm>
#include <utility>

namespace cairn {
namespace {

// Three that hang must leave time for a fourth within a heartbeat's second.
constexpr Duration kPatience = std::chrono::milliseconds(250);

bool AskAnother(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kNotLeader ||
         code == ErrorCode::kDeadlineExceeded;
}

Address GrpcOf(const v1::MetaserverMember& member) {
  return ChooseAddress(member.address().grpc(), /*allow_unix=*/false);
}

}  // namespace

MetaserverCalls::Peer::Peer(Address at, bool is_told, std::shared_ptr<const TlsContext> tls)
    : address(std::move(at)), told(is_told), channel(GrpcChannel::Make(address, std::move(tls))) {}

MetaserverCalls::MetaserverCalls(const std::vector<Address>& addresses,
                                 std::shared_ptr<const TlsContext> tls)
    : tls_(std::move(tls)) {
  for (const Address& address : addresses) {
    peers_.push_back(std::make_shared<Peer>(address, /*is_told=*/true, tls_));
  }
}

std::vector<MetaserverCalls::PeerPointer> MetaserverCalls::InOrder() {
  absl::MutexLock lock(&mu_);
  std::vector<PeerPointer> order = peers_;
  std::stable_sort(order.begin(), order.end(), [this](const PeerPointer& a, const PeerPointer& b) {
    mu_.AssertHeld();
    if (a->hung_at != b->hung_at) return a->hung_at < b->hung_at;
    return a == preferred_ && b != preferred_;
  });
  return order;
}

Status MetaserverCalls::Ask(const PeerPointer& peer, const std::string& method,
                            const google::protobuf::MessageLite& request,
                            google::protobuf::MessageLite& response, Deadline deadline) {
  Status status = peer->channel->Call(method, request, response, deadline);
  absl::MutexLock lock(&mu_);
  const bool hung = status.code() == ErrorCode::kDeadlineExceeded;
  peer->hung_at = hung ? SystemClock().Now() : BootTime{};
  if (!AskAnother(status.code())) preferred_ = peer;
  return status;
}

Status MetaserverCalls::Call(const std::string& method,
                             const google::protobuf::MessageLite& request,
                             google::protobuf::MessageLite& response, Deadline deadline) {
  Status status;
  std::vector<PeerPointer> hung;
  const std::vector<PeerPointer> order = InOrder();
  const Duration share =
      std::max<Duration>(kPatience, deadline.Left() / static_cast<int64_t>(order.size()));
  for (const PeerPointer& peer : order) {
    status = Ask(peer, method, request, response,
                 Deadline::After(std::min(share, deadline.Left())));
    if (!AskAnother(status.code())) return status;
    if (status.code() == ErrorCode::kDeadlineExceeded) hung.push_back(peer);
  }
  // One that leads may only have been slow.
  for (size_t i = 0; i < hung.size() && !deadline.Passed(); ++i) {
    const auto rest = deadline.Left() / static_cast<int64_t>(hung.size() - i);
    status = Ask(hung[i], method, request, response, Deadline::After(rest));
    if (!AskAnother(status.code())) return status;
  }
  return status;
}

void MetaserverCalls::Learn(const MetaserverList& members) {
  absl::MutexLock lock(&mu_);
  std::vector<PeerPointer> peers;
  for (const PeerPointer& peer : peers_) {
    if (peer->told) peers.push_back(peer);
  }
  const size_t told = peers.size();
  for (const v1::MetaserverMember& member : members) {
    const Address address = GrpcOf(member);
    const auto same = [&](const PeerPointer& peer) { return peer->address == address; };
    if (address.host.empty() || address.port == 0 || peers.size() == told + kMostHeardOf ||
        std::any_of(peers.begin(), peers.end(), same)) {
      continue;
    }
    const auto known = std::find_if(peers_.begin(), peers_.end(), same);
    peers.push_back(known != peers_.end() ? *known
                                          : std::make_shared<Peer>(address, false, tls_));
  }
  peers_ = std::move(peers);
}

}  // namespace cairn
