#include "metaserver/service/server_admin.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cairn/v1/admin.pb.h"
#include "cairn/v1/methods.pb.h"
#include "common/logging.h"
#include "metaserver/cluster/cluster_shape.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/cluster/release.h"
#include "metaserver/cluster/repair_state.h"
#include "metaserver/store/rows.h"
#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {
namespace {

constexpr size_t kMostRepairsListed = 10000;
constexpr uint64_t kLongestMaintenance = 30ull * 24 * 3600;  // seconds

using Done = std::function<void(Status)>;

class ServerAdmin {
 public:
  explicit ServerAdmin(ServerAdminParts parts) : parts_(parts) {}

  void SetServer(const v1::SetServerRequest& request, Done done);
  using RemoveDone = std::function<void(Result<v1::RemoveServerResponse>)>;
  void RemoveServer(const v1::RemoveServerRequest& request, RemoveDone done);
  void SetSettings(const v1::SetSettingsRequest& request, Done done);
  using ScrubDone = std::function<void(Result<v1::StartScrubResponse>)>;
  void StartScrub(const v1::StartScrubRequest& request, ScrubDone done);
  Status SkipGrace(const v1::SkipGraceRequest& request);
  Result<v1::GetRepairResponse> GetRepair();
  Result<v1::ListEventsResponse> ListEvents(const v1::ListEventsRequest& request);

 private:
  Result<v1::Command> MakeSetServer(const v1::SetServerRequest& request) const;
  Result<v1::StartScrubResponse> ScrubOrders(uint32_t server) const;
  void ReleaseAndRemove(const MapSnapshot& map, const v1::RemoveServerRequest& request,
                        RemoveDone done);
  void ProposeRemoval(const v1::RemoveServerRequest& request, RemoveDone done);
  void Propose(v1::Command command, Done done);

  const ServerAdminParts parts_;
};

void ServerAdmin::Propose(v1::Command command, Done done) {
  parts_.state->Propose(std::move(command),
                        [this, done = std::move(done)](const Result<v1::Outcome>& outcome) {
                          parts_.maps->Invalidate();
                          done(StatusOfOutcome(outcome));
                        });
}

Result<v1::Command> ServerAdmin::MakeSetServer(const v1::SetServerRequest& request) const {
  const bool maintenance = request.state() == v1::SERVER_MAINTENANCE;
  if (maintenance &&
      (request.maintenance_seconds() == 0 || request.maintenance_seconds() > kLongestMaintenance)) {
    return Fail(ErrorCode::kInvalidArgument, "a maintenance takes 1 s to 30 days, not {} s",
                request.maintenance_seconds());
  }
  v1::Command command;
  v1::SetServerCommand& set = *command.mutable_set_server();
  set.set_server(request.server());
  set.set_state(request.state());
  if (maintenance) {
    const WallTime now = parts_.clock->WallNow();
    const auto seconds = static_cast<int64_t>(request.maintenance_seconds());
    set.mutable_maintenance_until()->set_seconds(now.seconds + seconds);
  }
  return command;
}

void ServerAdmin::SetServer(const v1::SetServerRequest& request, Done done) {
  Result<v1::Command> command = MakeSetServer(request);
  if (!command.has_value()) return done(command.error());
  LOG_INFO("server set server={} state={}", request.server(),
           v1::ServerState_Name(request.state()));
  Propose(*std::move(command), std::move(done));
}

void ServerAdmin::ProposeRemoval(const v1::RemoveServerRequest& request, RemoveDone done) {
  v1::Command command;
  // In another term it may have been given a lease (C1).
  command.set_only_in_term(parts_.state->ServingTerm().value);
  command.mutable_remove_server()->set_server(request.server());
  command.mutable_remove_server()->set_give_up_groups(request.give_up_groups());
  parts_.state->Propose(std::move(command), [this, done = std::move(done)](
                                                const Result<v1::Outcome>& outcome) {
    parts_.maps->Invalidate();
    if (const Status status = StatusOfOutcome(outcome); !status.ok()) return done(Fail(status));
    v1::RemoveServerResponse response;
    response.set_lost_groups(outcome->lost_groups());
    response.set_doubted_groups(outcome->doubted_groups());
    done(response);
  });
}

// The groups that have other copies let go of it; for those that may have none it takes a word.
void ServerAdmin::ReleaseAndRemove(const MapSnapshot& map, const v1::RemoveServerRequest& request,
                                   RemoveDone done) {
  const ServerId server(request.server());
  Release release = PlanRelease(map, *parts_.registry, server);
  if (release.needed.groups != request.give_up_groups()) {
    return done(Fail(ErrorCode::kNotEmpty, "{}", release.needed.Text(server)));
  }
  if (!release.command.has_update_groups()) return ProposeRemoval(request, std::move(done));
  Propose(std::move(release.command),
          [this, request, done = std::move(done)](const Status& released) {
            released.ok() ? ProposeRemoval(request, done) : done(Fail(released));
          });
}

// A server that is up is drained first; only of one that is gone for good anything is given up.
// Whether anything is left is decided by the command itself.
void ServerAdmin::RemoveServer(const v1::RemoveServerRequest& request, RemoveDone done) {
  const auto map = parts_.maps->Get();
  if (!map.has_value()) return done(Fail(map.error()));
  const v1::ServerRecord* record = (*map)->FindServer(ServerId(request.server()));
  if (record == nullptr) {
    return done(Fail(ErrorCode::kNotFound, "there is no server {}", request.server()));
  }
  // From here on it is given no lease.
  if (parts_.registry->CondemnForRemoval(*record)) {
    const ServerId server(request.server());
    return ReleaseAndRemove(**map, request, [this, server, done = std::move(done)](auto removed) {
      parts_.registry->Pardon(server);
      done(std::move(removed));
    });
  }
  if (parts_.registry->View(*record).presence != ServerView::Presence::kAlive) {
    return done(Fail(ErrorCode::kBusy, "server {} may still have a lease: ask again in 10 s",
                     request.server()));
  }
  if (request.give_up_groups() == 0) return ProposeRemoval(request, std::move(done));
  done(Fail(ErrorCode::kNotEmpty, "server {} is up, nothing has to be given up: drain it",
            request.server()));
}

void ServerAdmin::SetSettings(const v1::SetSettingsRequest& request, Done done) {
  v1::Command command;
  *command.mutable_set_settings()->mutable_settings() = request.settings();
  Propose(std::move(command), std::move(done));
}

Result<v1::StartScrubResponse> ServerAdmin::ScrubOrders(uint32_t server) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts_.maps->Get());
  v1::StartScrubResponse response;
  for (const auto& [id, record] : map->servers) {
    const bool meant = server == 0 || server == id.value;
    if (meant) (*response.mutable_orders())[id.value] = record.scrub_order();
  }
  return response;
}

void ServerAdmin::StartScrub(const v1::StartScrubRequest& request, ScrubDone done) {
  const uint32_t server = request.server();
  v1::Command command;
  command.mutable_start_scrub()->set_server(server);
  Propose(std::move(command), [this, server, done = std::move(done)](const Status& status) {
    if (!status.ok()) return done(Fail(status));
    done(ScrubOrders(server));
  });
}

Status ServerAdmin::SkipGrace(const v1::SkipGraceRequest& request) {
  if (!parts_.state->Serves()) {
    return Status(ErrorCode::kNotLeader, "only the leader hears the chunkservers");
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts_.maps->Get());
  if (request.server() != 0 && map->FindServer(ServerId(request.server())) == nullptr) {
    return Status::Error(ErrorCode::kNotFound, "there is no server {}", request.server());
  }
  for (const auto& [id, record] : map->servers) {
    const bool meant = request.server() == 0 || request.server() == id.value;
    const bool away = parts_.registry->View(record).presence != ServerView::Presence::kAlive;
    if (meant && away) parts_.registry->SkipGrace(id);
  }
  return OkStatus();
}

Result<v1::GetRepairResponse> ServerAdmin::GetRepair() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts_.maps->Get());
  v1::GetRepairResponse response;
  *response.mutable_settings() = map->settings;
  ASSIGN_OR_RETURN(const auto record,
                   LoadRow<v1::RepairRecord>(*parts_.state->View(), schema::RepairKey()));
  if (record) *response.mutable_repair() = *record;
  if (!parts_.state->Serves()) return response;  // chunkservers speak to the leader alone
  const ClusterShape shape = LookAtShape(*map, *parts_.registry, parts_.clock->WallNow());
  for (v1::GroupRepair& repair : ListRepairs(shape, MovePolicy(), kMostRepairsListed)) {
    *response.add_groups() = std::move(repair);
  }
  return response;
}

Result<v1::ListEventsResponse> ServerAdmin::ListEvents(const v1::ListEventsRequest& request) {
  v1::ListEventsResponse response;
  const int limit =
      request.limit() == 0 ? INT32_MAX : static_cast<int>(std::min(request.limit(), 1000000u));
  RETURN_IF_ERROR(ScanRows<v1::EventRecord>(*parts_.state->View(), schema::kEventPrefix,
                                            schema::EventKey(request.after() + 1),
                                            [&](std::string_view, v1::EventRecord event) {
                                              *response.add_events() = std::move(event);
                                              return response.events_size() < limit;
                                            }));
  return response;
}

template <typename Request, typename Response, typename Method>
void HandleChange(Dispatcher& dispatcher, v1::Method id, const std::shared_ptr<ServerAdmin>& admin,
                  Method method) {
  dispatcher.Handle<Request, Response>(id, [admin, method](Call<Request, Response> call) {
    ((*admin).*method)(call.request(), [call](const Status& status) {
      status.ok() ? call.Reply({}) : call.Fail(status);
    });
  });
}

}  // namespace

void RegisterServerAdmin(Dispatcher& dispatcher, ServerAdminParts parts) {
  const auto admin = std::make_shared<ServerAdmin>(parts);
  HandleChange<v1::SetServerRequest, v1::SetServerResponse>(dispatcher, v1::ADMIN_SET_SERVER, admin,
                                                            &ServerAdmin::SetServer);
  dispatcher.Handle<v1::RemoveServerRequest, v1::RemoveServerResponse>(
      v1::ADMIN_REMOVE_SERVER,
      [admin](Call<v1::RemoveServerRequest, v1::RemoveServerResponse> call) {
        admin->RemoveServer(call.request(), [call](Result<v1::RemoveServerResponse> removed) {
          call.Finish(std::move(removed));
        });
      });
  HandleChange<v1::SetSettingsRequest, v1::SetSettingsResponse>(dispatcher, v1::ADMIN_SET_SETTINGS,
                                                                admin, &ServerAdmin::SetSettings);
  dispatcher.Handle<v1::StartScrubRequest, v1::StartScrubResponse>(
      v1::ADMIN_START_SCRUB, [admin](Call<v1::StartScrubRequest, v1::StartScrubResponse> call) {
        admin->StartScrub(call.request(), [call](Result<v1::StartScrubResponse> orders) {
          call.Finish(std::move(orders));
        });
      });
  dispatcher.Handle<v1::SkipGraceRequest, v1::SkipGraceResponse>(
      v1::ADMIN_SKIP_GRACE, [admin](Call<v1::SkipGraceRequest, v1::SkipGraceResponse> call) {
        const Status status = admin->SkipGrace(call.request());
        status.ok() ? call.Reply({}) : call.Fail(status);
      });
  dispatcher.Handle<v1::GetRepairRequest, v1::GetRepairResponse>(
      v1::ADMIN_GET_REPAIR, [admin](auto call) { call.Finish(admin->GetRepair()); });
  dispatcher.Handle<v1::ListEventsRequest, v1::ListEventsResponse>(
      v1::ADMIN_LIST_EVENTS,
      [admin](auto call) { call.Finish(admin->ListEvents(call.request())); });
}

}  // namespace cairn
