#include "rpc/grpc_server.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "cairn/v1/admin.pb.h"
#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/metadata.pb.h"
#include "rpc/grpc_credentials.h"
#include "rpc/grpc_reflection.h"
#include "rpc/grpc_status.h"
#include "rpc/grpc_unary.h"

namespace cairn {

namespace {
constexpr std::chrono::seconds kDrainTime{1};

using MethodTable = absl::flat_hash_map<std::string, v1::Method>;

// Named here because a static link drops a service's description when nothing refers to its file.
void KeepServiceDescriptions() {
  v1::LookupRequest::descriptor();
  v1::GetStatusRequest::descriptor();
  v1::HeartbeatRequest::descriptor();
}

Status AddService(const std::string& name, MethodTable& table) {
  const auto* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
  if (service == nullptr) {
    return Status::Error(ErrorCode::kInvalidArgument, "no service {} in this program", name);
  }
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* method = service->method(i);
    const v1::Method number = method->options().GetExtension(v1::frame_method);
    if (number != v1::METHOD_NONE) table["/" + name + "/" + method->name()] = number;
  }
  return OkStatus();
}

class GenericService final : public grpc::CallbackGenericService {
 public:
  GenericService(const Dispatcher& dispatcher, MethodTable methods,
                 std::vector<std::string> services)
      : dispatcher_(dispatcher), methods_(std::move(methods)), services_(std::move(services)) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    if (context->method() == kReflectionMethod) return NewReflectionStream(services_);
    const auto method = methods_.find(context->method());
    if (method != methods_.end()) return NewUnaryCall(dispatcher_, method->second, *context);
    return NewRefusedCall(Status(ErrorCode::kUnimplemented, "no method " + context->method()),
                          *context);
  }

 private:
  const Dispatcher& dispatcher_;
  const MethodTable methods_;
  const std::vector<std::string> services_;
};

class GrpcServerImpl final : public GrpcServer {
 public:
  GrpcServerImpl(GrpcServerOptions options, const Dispatcher& dispatcher, MethodTable methods)
      : options_(std::move(options)),
        service_(dispatcher, std::move(methods), ReflectedServices(options_.services)) {}
  ~GrpcServerImpl() override { Stop(); }

  Status Listen() {
    ASSIGN_OR_RETURN(auto credentials, GrpcServerCredentials(options_.tls.get()));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    // Else a second server takes the same port in silence and gets every other call.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kMaxGrpcMessageSize);
    builder.SetMaxSendMessageSize(kMaxGrpcMessageSize);
    builder.AddListeningPort(options_.listen.ToString(), credentials, &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return Status::Error(ErrorCode::kUnavailable,
                           "cannot listen on {} (gRPC): in use, or not an address of this host",
                           options_.listen.ToString());
    }
    SetServing(false);
    return OkStatus();
  }

  uint16_t port() const override { return static_cast<uint16_t>(port_); }

  void SetServing(bool serving) override {
    grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
    for (const std::string& name : options_.services) health->SetServingStatus(name, serving);
    health->SetServingStatus(serving);
  }

  void Stop() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + kDrainTime);
  }

 private:
  static std::vector<std::string> ReflectedServices(std::vector<std::string> services) {
    services.insert(services.end(), {"grpc.health.v1.Health", kReflectionService});
    return services;
  }

  const GrpcServerOptions options_;
  GenericService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;  // ends before the service it calls
};
}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(GrpcServerOptions options,
                                                      const Dispatcher& dispatcher) {
  KeepServiceDescriptions();
  MethodTable methods;
  for (const std::string& name : options.services) RETURN_IF_ERROR(AddService(name, methods));
  auto server =
      std::make_unique<GrpcServerImpl>(std::move(options), dispatcher, std::move(methods));
  RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace cairn
