#include <google/protobuf/util/message_differencer.h>

#include "metaserver/operations/operations.h"
#include "metaserver/placement/chunkserver_of.h"

namespace cairn {

namespace {

constexpr size_t kMaxTextBytes = 255;
constexpr size_t kMaxPathBytes = 4096;

Status CheckRequest(const v1::JoinServerCommand& join) {
  if (join.disk_uuid().empty()) return Status(ErrorCode::kInvalidArgument, "no disk uuid");
  for (const std::string* text : {&join.disk_uuid(), &join.host(), &join.boot_id(), &join.rack(),
                                  &join.frames().host(), &join.frames().boot_id()}) {
    if (text->size() > kMaxTextBytes) return Status(ErrorCode::kTooLarge, "a server's address");
  }
  if (join.frames().unix_path().size() > kMaxPathBytes) {
    return Status(ErrorCode::kTooLarge, "a server's socket path");
  }
  return OkStatus();
}

v1::ServerRecord RecordOf(const v1::JoinServerCommand& join) {
  v1::ServerRecord server;
  server.set_disk_uuid(join.disk_uuid());
  *server.mutable_frames() = join.frames();
  server.set_host(join.host());
  server.set_boot_id(join.boot_id());
  server.set_incarnation(join.incarnation());
  server.set_rack(join.rack());
  return server;
}

// A process keeps its number while its first disk is away, for nobody but that disk knows it: the
// disk that joins first in its stead listens where that one did.
bool StandsInFor(const v1::ServerRecord& server, const v1::ServerRecord& first) {
  const v1::Endpoint& here = server.frames();
  const v1::Endpoint& there = first.frames();
  return here.host() == there.host() && here.port() == there.port() &&
         here.unix_path() == there.unix_path();
}

// The process the server is a disk of. `before`: its row as it was; nullptr for a new one.
Result<uint32_t> ChooseChunkserver(const v1::JoinServerCommand& join,
                                   const v1::ServerRecord& server, const v1::ServerRecord* before,
                                   const MetadataTransaction& txn) {
  const bool is_first = join.chunkserver() == 0 || join.chunkserver() == server.id();
  const uint32_t named = !is_first ? join.chunkserver() : before ? before->chunkserver() : 0;
  if (named == 0 || named == server.id()) return server.id();
  ASSIGN_OR_RETURN(const auto first,
                   LoadRow<v1::ServerRecord>(txn, schema::ServerKey(ServerId(named))));
  if (is_first) return first && StandsInFor(server, *first) ? named : server.id();
  return first ? ChunkserverOf(*first).value : named;
}

}  // namespace

Result<v1::Outcome> JoinServer(const v1::Command& command, MetadataTransaction& txn) {
  const v1::JoinServerCommand& join = command.join_server();
  RETURN_IF_ERROR(CheckRequest(join));
  v1::ServerRecord server = RecordOf(join);
  v1::StateRecord& state = txn.mutable_state();
  v1::Outcome outcome;
  const std::string disk_key = schema::DiskKey(join.disk_uuid());
  ASSIGN_OR_RETURN(const auto known, txn.Get(disk_key));
  if (known) {
    const ServerId id(static_cast<uint32_t>(schema::KeyNumber(*known)));
    ASSIGN_OR_RETURN(auto stored, LoadRow<v1::ServerRecord>(txn, schema::ServerKey(id)));
    if (!stored) return Fail(ErrorCode::kInternal, "server {} has a disk but no row", id);
    if (join.incarnation() < stored->incarnation()) {
      return Fail(ErrorCode::kStaleRequest, "server {} was started again since", id);
    }
    server.set_id(id.value);
    server.set_state(stored->state());  // an operator's word outlives a restart
    server.set_scrub_order(stored->scrub_order());
    if (stored->has_maintenance_until()) {
      *server.mutable_maintenance_until() = stored->maintenance_until();
    }
    outcome.set_server(id.value);
    ASSIGN_OR_RETURN(const uint32_t chunkserver, ChooseChunkserver(join, server, &*stored, txn));
    server.set_chunkserver(chunkserver);
    if (google::protobuf::util::MessageDifferencer::Equals(server, *stored)) return outcome;
  } else {
    server.set_id(state.next_server());
    outcome.set_server(server.id());
    state.set_next_server(server.id() + 1);
    txn.PutNumber(disk_key, server.id());
    ASSIGN_OR_RETURN(const uint32_t chunkserver, ChooseChunkserver(join, server, nullptr, txn));
    server.set_chunkserver(chunkserver);
  }
  txn.Put(schema::ServerKey(ServerId(server.id())), server);
  state.set_map_version(state.map_version() + 1);
  return outcome;
}

}  // namespace cairn
