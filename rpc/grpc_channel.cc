#include "rpc/grpc_channel.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "rpc/grpc_credentials.h"
#include "rpc/grpc_status.h"

namespace cairn {

namespace {
// Every certificate of a cluster carries this name, so that hosts may be reached by any address.
constexpr char kCertificateName[] = "cairn";

constexpr Duration kConnectPatience = std::chrono::seconds(1);

grpc::ChannelArguments Arguments(bool tls) {
  grpc::ChannelArguments arguments;
  if (tls) arguments.SetSslTargetNameOverride(kCertificateName);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Despite its name: how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A cluster is never behind the web proxy that http_proxy names.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxGrpcMessageSize);
  arguments.SetMaxSendMessageSize(kMaxGrpcMessageSize);
  return arguments;
}

class GrpcChannelImpl final : public GrpcChannel {
 public:
  GrpcChannelImpl(std::string peer, Result<std::shared_ptr<grpc::ChannelCredentials>> credentials,
                  bool tls)
      : peer_(std::move(peer)) {
    if (!credentials.has_value()) {
      broken_ = credentials.error();
      return;
    }
    channel_ = grpc::CreateCustomChannel("dns:///" + peer_, *credentials, Arguments(tls));
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
  }

  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response, Deadline deadline) override {
    RETURN_IF_ERROR(broken_);
    // A connection is only made while somebody polls for it, and a call that fails at once does
    // not.
    if (channel_->GetState(true) != GRPC_CHANNEL_READY) {
      channel_->WaitForConnected(std::chrono::system_clock::now() +
                                 std::min<Duration>(deadline.Left() / 2, kConnectPatience));
    }
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline.Left());
    grpc::Slice body(request.SerializeAsString());
    grpc::ByteBuffer answer;
    const grpc::Status status = Exchange(context, method, grpc::ByteBuffer(&body, 1), answer);
    RETURN_IF_ERROR(FromGrpc(status, context, method + " at " + peer_));
    ASSIGN_OR_RETURN(const grpc::Slice bytes, Flatten(answer));
    if (!response.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size()))) {
      return Status::Error(ErrorCode::kCorruption, "the answer of {} to {} does not parse", peer_,
                           method);
    }
    return OkStatus();
  }

 private:
  // A completion queue of its own: the caller's thread does the polling and nobody is woken. It
  // ends by the deadline in `context`.
  grpc::Status Exchange(grpc::ClientContext& context, const std::string& method,
                        const grpc::ByteBuffer& request, grpc::ByteBuffer& answer) {
    grpc::CompletionQueue queue;
    grpc::Status status;
    auto call = stub_->PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    CAIRN_CHECK(queue.Next(&tag, &ok) && tag == this);
    return status;
  }

  const std::string peer_;
  Status broken_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
};
}  // namespace

std::unique_ptr<GrpcChannel> GrpcChannel::Make(const Address& address,
                                               std::shared_ptr<const TlsContext> tls) {
  return std::make_unique<GrpcChannelImpl>(address.ToString(), GrpcChannelCredentials(tls.get()),
                                           tls != nullptr);
}

}  // namespace cairn
