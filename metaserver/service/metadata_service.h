// Serves the namespace: reads are answered from a view on the calling thread, changes become one
// command each and are answered when it is on disk and applied. Knows no carrier.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "cairn/v1/metadata.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/clock.h"
#include "metaserver/replicated_state.h"
#include "metaserver/service/cluster_view.h"
#include "metaserver/service/peer_rights.h"
#include "metaserver/service/token_issuer.h"
#include "metaserver/sessions/session_table.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Thread-safe. Must outlive the proposals of its state: stop the state first, then destroy this.
class MetadataService {
 public:
  // Observes what `state` applies (OnApplied), so there is one of these per state.
  MetadataService(ReplicatedState& state, SessionTable& sessions, const ClusterSpace& space,
                  PlacementGroups& groups, TokenIssuer& tokens);

  // Every method of the Metadata service.
  void Register(Dispatcher& dispatcher);

  // On the applying thread: what it knows of sessions begins anew when this metaserver begins to
  // serve (rule M8), and rests while it does not.
  void OnLeadership(bool leads);

  // Closes the sessions that were not heard for a life. Call it about once a second.
  void ExpireSilentSessions();

 private:
  using ProposalDone = std::function<void(Result<v1::Outcome>)>;

  // metadata_sessions.cc
  void OpenSession(Call<v1::OpenSessionRequest, v1::OpenSessionResponse> call);
  void RenewSession(Call<v1::RenewSessionRequest, v1::RenewSessionResponse> call);
  void CloseSession(Call<v1::CloseSessionRequest, v1::CloseSessionResponse> call);
  void Observe(const v1::Command& command, const v1::Outcome& outcome);
  void CloseSilent(SessionId session);
  // metadata_names.cc
  void Lookup(Call<v1::LookupRequest, v1::EntryResponse> call);
  void MakeNode(Call<v1::MakeNodeRequest, v1::EntryResponse> call);
  void MakeDirectory(Call<v1::MakeDirectoryRequest, v1::EntryResponse> call);
  void MakeSymlink(Call<v1::MakeSymlinkRequest, v1::EntryResponse> call);
  void Link(Call<v1::LinkRequest, v1::EntryResponse> call);
  // metadata_removals.cc
  void Unlink(Call<v1::UnlinkRequest, v1::RemovedResponse> call);
  void RemoveDirectory(Call<v1::RemoveDirectoryRequest, v1::RemovedResponse> call);
  void Rename(Call<v1::RenameRequest, v1::RemovedResponse> call);
  void Remove(InodeId victim, v1::Command command,
              std::function<void(Result<v1::RemovedResponse>)> done);
  Result<v1::RemovedResponse> RemovedAnswer(const v1::Outcome& outcome);
  // Releases the orphan from those named as holders that turn out not to hold it.
  void ReleaseStrangers(InodeId orphan);
  void ReleaseOrphansOf(SessionId session);
  // metadata_files.cc
  void Create(const Call<v1::CreateRequest, v1::EntryResponse>& call, int tries_left);
  void ProposeCreate(const Call<v1::CreateRequest, v1::EntryResponse>& call, int tries_left);
  void Open(const Call<v1::OpenRequest, v1::EntryResponse>& call);
  void Reopen(const Call<v1::CreateRequest, v1::EntryResponse>& call,
              const v1::EntryResponse& found);
  void OpenInode(const v1::OpenRequest& request,
                 const std::function<void(Result<v1::EntryResponse>)>& done);
  void Close(Call<v1::CloseRequest, v1::CloseResponse> call);
  void CloseFiles(const Call<v1::CloseRequest, v1::CloseResponse>& call);
  Status AdmitWriter(const PeerIdentity& peer, SessionId session, InodeId inode,
                     const std::string& token);
  void CommitWrite(Call<v1::CommitWriteRequest, v1::EntryResponse> call);
  void Extend(Call<v1::ExtendRequest, v1::EntryResponse> call);
  Result<v1::EntryResponse> StillThere(const v1::OpenRequest& request);
  // metadata_tokens.cc
  Result<v1::EntryResponse> WithToken(Result<v1::EntryResponse> entry, const v1::RequestId& id,
                                      uint32_t flags);
  std::string RenewedToken(const std::string& token, SessionId session, const ReadView& view);
  void RenewTokens(Call<v1::RenewTokensRequest, v1::RenewTokensResponse> call);
  // metadata_attributes.cc
  void GetAttributes(Call<v1::GetAttributesRequest, v1::EntryResponse> call);
  void SetAttributes(Call<v1::SetAttributesRequest, v1::EntryResponse> call);
  Result<v1::EntryResponse> WithCutToken(const PeerIdentity& peer,
                                         const v1::SetAttributesRequest& request,
                                         Result<v1::EntryResponse> entry);
  void CheckAccess(Call<v1::CheckAccessRequest, v1::CheckAccessResponse> call);
  void ReadSymlink(Call<v1::ReadSymlinkRequest, v1::ReadSymlinkResponse> call);
  void ReadDirectory(Call<v1::ReadDirectoryRequest, v1::ReadDirectoryResponse> call);
  void StatFs(Call<v1::StatFsRequest, v1::StatFsResponse> call);
  void FetchMap(Call<v1::FetchMapRequest, v1::ClusterMap> call);

  // The session was heard, from a peer that may use it. kUnknownSession.
  Status Hear(const PeerIdentity& peer, SessionId session);
  // What every mutation checks before it becomes a command.
  template <typename Request>
  Status Admit(const PeerIdentity& peer, const Request& request);
  void Propose(v1::Command command, ProposalDone done);
  // Proposes and answers with the inode as it is afterwards.
  void ProposeEntry(v1::Command command, std::function<void(Result<v1::EntryResponse>)> done);
  Result<v1::EntryResponse> EntryAnswer(const v1::Outcome& outcome);

  ReplicatedState& state_;
  SessionTable& sessions_;
  const ClusterSpace& space_;
  PlacementGroups& groups_;
  TokenIssuer& tokens_;
  std::atomic<bool> leads_{false};
};

// An inode as clients see it.
v1::EntryResponse EntryOf(v1::InodeRecord inode);

template <typename Request>
Status MetadataService::Admit(const PeerIdentity& peer, const Request& request) {
  RETURN_IF_ERROR(CheckVouches(peer, request.caller()));
  return Hear(peer, SessionId(request.id().session()));
}

}  // namespace cairn
