#include <utility>

#include "common/logging.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {

// What a name stands for now; 0 if for nothing, or if that cannot be told: apply looks again.
InodeId VictimOf(const ReadView& view, uint64_t parent, std::string_view name) {
  auto entry = FindEntry(view, InodeId(parent), name);
  return entry && *entry ? InodeId((*entry)->inode()) : InodeId(0);
}

v1::Command ReleaseCommand(InodeId inode, uint64_t session, Term term) {
  v1::Command command;
  command.set_only_in_term(term.value);
  command.mutable_release_orphan()->set_inode(inode.value);
  command.mutable_release_orphan()->set_session(session);
  return command;
}

}  // namespace

void MetadataService::Unlink(Call<v1::UnlinkRequest, v1::RemovedResponse> call) {
  const v1::UnlinkRequest& request = call.request();
  if (Status status = Admit(call.peer(), request); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_unlink() = request;
  Remove(VictimOf(*state_.View(), request.parent(), request.name()), std::move(command),
         [call](const auto& result) { call.Finish(result); });
}

void MetadataService::Rename(Call<v1::RenameRequest, v1::RemovedResponse> call) {
  const v1::RenameRequest& request = call.request();
  if (Status status = Admit(call.peer(), request); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_rename() = request;
  Remove(VictimOf(*state_.View(), request.new_parent(), request.new_name()), std::move(command),
         [call](const auto& result) { call.Finish(result); });
}

void MetadataService::RemoveDirectory(Call<v1::RemoveDirectoryRequest, v1::RemovedResponse> call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_remove_directory() = call.request();
  Propose(std::move(command), [this, call](const Result<v1::Outcome>& outcome) {
    if (!outcome) return call.Fail(outcome.error());
    call.Finish(RemovedAnswer(*outcome));
  });
}

// From the moment its holders are looked up until the name is gone, nobody new opens the victim.
void MetadataService::Remove(InodeId victim, v1::Command command,
                             std::function<void(Result<v1::RemovedResponse>)> done) {
  // Who holds what is known in a term only: elsewhere it may have been opened meanwhile (C11).
  command.set_only_in_term(state_.ServingTerm().value);
  if (command.only_in_term() == 0) return done(Fail(ErrorCode::kNotLeader, "not leading"));
  command.set_expected_victim(victim.value);
  for (SessionId holder : sessions_.BeginRemoval(victim)) command.add_holders(holder.value);
  Propose(std::move(command), [this, victim,
                               done = std::move(done)](const Result<v1::Outcome>& outcome) {
    Result<v1::RemovedResponse> answer = outcome ? RemovedAnswer(*outcome) : Fail(outcome.error());
    if (outcome && outcome->still_open()) ReleaseStrangers(InodeId(outcome->inode()));
    sessions_.EndRemoval(victim);
    done(std::move(answer));
  });
}

Result<v1::RemovedResponse> MetadataService::RemovedAnswer(const v1::Outcome& outcome) {
  v1::RemovedResponse response;
  response.set_inode(outcome.inode());
  response.set_still_open(outcome.still_open());
  if (outcome.inode() == 0) return response;
  ASSIGN_OR_RETURN(auto inode, LoadRow<v1::InodeRecord>(
                                   *state_.View(), schema::InodeKey(InodeId(outcome.inode()))));
  if (inode) response.set_links(inode->attributes().links());
  return response;
}

// Whoever opens the orphan meanwhile waits until it is decided who holds it (rule C11).
void MetadataService::ReleaseStrangers(InodeId orphan) {
  const Term term = state_.ServingTerm();
  if (term == Term()) return;  // whoever leads does it when it begins to
  sessions_.BeginRemoval(orphan);
  const std::shared_ptr<void> decided(nullptr,
                                      [this, orphan](void*) { sessions_.EndRemoval(orphan); });
  auto row = LoadRow<v1::OrphanRecord>(*state_.View(), schema::OrphanKey(orphan));
  if (!row || !*row) return;
  for (uint64_t holder : (*row)->holders()) {
    if (sessions_.MayHold(SessionId(holder), orphan)) continue;
    Propose(ReleaseCommand(orphan, holder, term),
            [orphan, holder, decided](const Result<v1::Outcome>& outcome) {
              if (outcome) return;
              LOG_WARN("unlinked file kept until its session ends inode={} session={} error={}",
                       orphan, holder, outcome.error());
            });
  }
}

void MetadataService::ReleaseOrphansOf(SessionId session) {
  std::vector<InodeId> orphans;
  const Status status =
      state_.View()->Scan(schema::kOrphanPrefix, schema::kOrphanPrefix,
                          [&](std::string_view key, std::string_view value) {
                            v1::OrphanRecord orphan;
                            const bool readable = ParseRow(key, value, orphan).ok();
                            for (uint64_t holder : orphan.holders()) {
                              if (readable && holder == session.value) {
                                orphans.emplace_back(schema::KeyNumber(key.substr(1)));
                              }
                            }
                            return true;
                          });
  if (!status.ok()) LOG_WARN("orphans cannot be read error={}", status);
  for (InodeId orphan : orphans) ReleaseStrangers(orphan);
}

}  // namespace cairn
