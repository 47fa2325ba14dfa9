#include "metaserver/service/layout_admin.h"

#include <memory>
#include <utility>

#include "cairn/v1/admin.pb.h"
#include "cairn/v1/methods.pb.h"
#include "common/logging.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/cluster/where.h"

namespace cairn {
namespace {

using SetLayoutCall = Call<v1::SetLayoutRequest, v1::SetLayoutResponse>;

// A pool that is new gets its groups when its first file is written: it is better to say now that
// this cannot work.
Status CheckServers(uint32_t copies, const MapSnapshot& map, const ServerRegistry& registry) {
  uint32_t in_service = 0;
  for (const auto& [id, record] : map.servers) {
    const bool gone = registry.View(record).presence == ServerView::Presence::kGone;
    in_service += !gone && record.state() == v1::SERVER_IN_SERVICE ? 1 : 0;
  }
  if (copies <= in_service) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument,
                       "{} copies need {} chunkservers, {} are in service", copies, copies,
                       in_service);
}

Result<v1::Command> MakeCommand(const LayoutAdminParts& parts,
                                const v1::SetLayoutRequest& request) {
  if (!parts.state->Serves()) {
    return Fail(ErrorCode::kNotLeader, "only the leader hears the chunkservers");
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts.maps->Get());
  RETURN_IF_ERROR(CheckServers(request.copies(), *map, *parts.registry));
  const std::unique_ptr<ReadView> view = parts.state->View();
  ASSIGN_OR_RETURN(const InodeId inode,
                   FindInode(*view, InodeId(request.inode()), request.path()));
  v1::Command command;
  v1::SetLayoutCommand& set = *command.mutable_set_layout();
  set.set_inode(inode.value);
  set.set_copies(request.copies());
  set.set_chunk_size(request.chunk_size());
  set.set_inherit(request.inherit());
  return command;
}

void SetLayout(const LayoutAdminParts& parts, const SetLayoutCall& call) {
  Result<v1::Command> command = MakeCommand(parts, call.request());
  if (!command.has_value()) return call.Fail(command.error());
  const v1::SetLayoutCommand set = command->set_layout();
  parts.state->Propose(
      *std::move(command), [maps = parts.maps, set, call](const Result<v1::Outcome>& outcome) {
        maps->Invalidate();  // there may be a new pool
        const Status status = StatusOfOutcome(outcome);
        if (!status.ok()) return call.Fail(status);
        LOG_INFO("layout set inode={} copies={} chunk_size={} inherit={}", set.inode(),
                 set.copies(), set.chunk_size(), set.inherit());
        call.Reply({});
      });
}

}  // namespace

void RegisterLayoutAdmin(Dispatcher& dispatcher, LayoutAdminParts parts) {
  dispatcher.Handle<v1::SetLayoutRequest, v1::SetLayoutResponse>(
      v1::ADMIN_SET_LAYOUT, [parts](const SetLayoutCall& call) { SetLayout(parts, call); });
}

}  // namespace cairn
