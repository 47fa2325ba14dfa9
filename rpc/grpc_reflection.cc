#include "rpc/grpc_reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <atomic>
#include <set>

#include "rpc/grpc_status.h"

namespace cairn {

namespace {
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::FileDescriptorResponse;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

void AddWithImports(const FileDescriptor& file, std::set<std::string>& seen,
                    FileDescriptorResponse& response) {
  if (!seen.insert(file.name()).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) {
    AddWithImports(*file.dependency(i), seen, response);
  }
}

void AnswerFile(const FileDescriptor* file, const std::string& what,
                ServerReflectionResponse& response) {
  if (file == nullptr) {
    response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
    response.mutable_error_response()->set_error_message("unknown: " + what);
    return;
  }
  std::set<std::string> seen;
  AddWithImports(*file, seen, *response.mutable_file_descriptor_response());
}

class ReflectionReactor final : public grpc::ServerGenericBidiReactor {
 public:
  explicit ReflectionReactor(const std::vector<std::string>& services) : services_(services) {
    StartRead(&question_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);
    ServerReflectionRequest request;
    const auto bytes = Flatten(question_);
    if (!bytes.has_value() ||
        !request.ParseFromArray(bytes->begin(), static_cast<int>(bytes->size()))) {
      return End({grpc::StatusCode::INVALID_ARGUMENT, "the request does not parse"});
    }
    grpc::Slice slice(Reflect(request, services_).SerializeAsString());
    answer_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&answer_);
  }
  void OnWriteDone(bool ok) override {
    ok ? StartRead(&question_) : End({grpc::StatusCode::CANCELLED, "the client went away"});
  }
  void OnCancel() override { End({grpc::StatusCode::CANCELLED, "the client went away"}); }
  void OnDone() override { delete this; }

 private:
  void End(grpc::Status status) {
    if (!ended_.exchange(true)) Finish(std::move(status));
  }

  const std::vector<std::string>& services_;
  std::atomic<bool> ended_{false};
  grpc::ByteBuffer question_;
  grpc::ByteBuffer answer_;
};
}  // namespace

ServerReflectionResponse Reflect(const ServerReflectionRequest& request,
                                 const std::vector<std::string>& services) {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      for (const std::string& name : services) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case ServerReflectionRequest::kFileByFilename:
      AnswerFile(pool.FindFileByName(request.file_by_filename()), request.file_by_filename(),
                 response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
                 request.file_containing_symbol(), response);
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(grpc::StatusCode::UNIMPLEMENTED);
      response.mutable_error_response()->set_error_message("this question is not answered here");
  }
  return response;
}

grpc::ServerGenericBidiReactor* NewReflectionStream(const std::vector<std::string>& services) {
  return new ReflectionReactor(services);
}

}  // namespace cairn
