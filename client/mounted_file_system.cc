#include "client/mounted_file_system.h"

#include <unistd.h>

#include <utility>

#include "client/mount.h"
#include "client/token_renewal.h"
#include "common/hash.h"
#include "common/logging.h"

namespace cairn {

namespace client {

namespace {

constexpr Duration kTokenPatience = std::chrono::seconds(10);
constexpr int kThreads = 4;  // commits and retries: many small files are flushed side by side

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown";
}

ChannelOptions ChannelOptionsFor(const MountOptions& options) {
  ChannelOptions channel;
  channel.hello.set_role(v1::ROLE_CLIENT);
  channel.hello.set_min_version(1);
  channel.hello.set_max_version(1);
  channel.hello.set_cluster_id(options.cluster_id);
  channel.tls = options.tls;
  return channel;
}

SessionOptions SessionOptionsFor(const MountOptions& options, NearFull* near_full) {
  SessionOptions session;
  session.near_full = near_full;
  session.client_id = options.client_id;
  session.host = HostName();
  session.mount_point = options.mount_point;
  return session;
}

WriteBehindOptions WriteOptionsFor(const MountOptions& options) {
  return {options.write_behind_file_bytes, options.write_behind_bytes, options.timeout};
}

ReaderOptions ReaderOptionsFor(const MountOptions& options) {
  ReaderOptions reader;
  reader.ahead_bytes = options.read_ahead_bytes;
  reader.timeout = options.timeout;
  return reader;
}

}  // namespace

Mount::Mount(MountOptions options)
    : options_(std::move(options)),
      channels_(std::make_unique<ChannelPool>(ChannelOptionsFor(options_), "client-rpc")),
      link_(channels_.get(), options_.metaservers),
      session_(&link_, SessionOptionsFor(options_, &near_full_)),
      metadata_(&link_, &session_, options_.timeout),
      map_(&metadata_, options_.allow_unix),
      executor_("client-flush", kThreads),
      local_(options_.allow_unix && options_.local_reads, clock_),
      chunks_(channels_.get(), &map_, &metadata_, &executor_, &near_full_, &local_),
      table_(&session_),
      writes_(WriteOptionsFor(options_), &chunks_, &metadata_, &table_, &executor_),
      reader_(ReaderOptionsFor(options_), &chunks_) {}

Status Mount::Start() {
  RETURN_IF_ERROR(session_.Start(Deadline::After(options_.timeout)));
  executor_.RunAfter(options_.token_renewal, [this] { KeepTokens(); });
  executor_.RunAfter(LocalReads::kLookEvery, [this] { DropStaleGrants(); });
  if (!options_.cluster_id.empty() || session_.cluster_id().empty()) return OkStatus();
  // Channels made from now on refuse servers of another cluster.
  v1::Hello hello = ChannelOptionsFor(options_).hello;
  hello.set_cluster_id(session_.cluster_id());
  channels_->SetHello(hello);
  return OkStatus();
}

void Mount::KeepTokens() {
  RenewAllTokens(metadata_, table_.All(), std::min(options_.timeout, kTokenPatience));
  executor_.RunAfter(options_.token_renewal, [this] { KeepTokens(); });
}

void Mount::DropStaleGrants() {
  local_.DropStale();
  executor_.RunAfter(LocalReads::kLookEvery, [this] { DropStaleGrants(); });
}

Mount::~Mount() {
  Status flushed = FlushAll(Deadline::After(options_.timeout));
  if (!flushed.ok()) LOG_ERROR("unmounted with unwritten data cause=\"{}\"", flushed);
  session_.Stop(Deadline::After(std::min<Duration>(options_.timeout, std::chrono::seconds(5))));
  executor_.Stop();
  // Callbacks reach into the other parts: none runs after this.
  channels_.reset();
}

}  // namespace client

Result<std::unique_ptr<MountedFileSystem>> MountedFileSystem::Mount(MountOptions options) {
  if (options.metaservers.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "no metaserver is named");
  }
  if (options.client_id.empty()) options.client_id = RandomHex(16);
  auto mount = std::make_unique<client::Mount>(std::move(options));
  RETURN_IF_ERROR(mount->Start());
  return std::unique_ptr<MountedFileSystem>(std::move(mount));
}

}  // namespace cairn
