#include "metaserver/service/metadata_service.h"

#include <utility>

#include "metaserver/operations/file_cuts.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {

template <typename Request, typename Response, typename Service>
void Serve(Dispatcher& dispatcher, v1::Method method, Service* service,
           void (Service::*handler)(Call<Request, Response>)) {
  dispatcher.Handle<Request, Response>(method, [service, handler](Call<Request, Response> call) {
    (service->*handler)(std::move(call));
  });
}

}  // namespace

MetadataService::MetadataService(ReplicatedState& state, SessionTable& sessions,
                                 const ClusterSpace& space, PlacementGroups& groups,
                                 TokenIssuer& tokens)
    : state_(state), sessions_(sessions), space_(space), groups_(groups), tokens_(tokens) {
  state_.OnApplied([this](const v1::Command& command, const v1::Outcome& outcome) {
    Observe(command, outcome);
  });
}

void MetadataService::Register(Dispatcher& dispatcher) {
  using S = MetadataService;
  Serve(dispatcher, v1::METADATA_OPEN_SESSION, this, &S::OpenSession);
  Serve(dispatcher, v1::METADATA_RENEW_SESSION, this, &S::RenewSession);
  Serve(dispatcher, v1::METADATA_CLOSE_SESSION, this, &S::CloseSession);
  Serve(dispatcher, v1::METADATA_LOOKUP, this, &S::Lookup);
  Serve(dispatcher, v1::METADATA_GET_ATTRIBUTES, this, &S::GetAttributes);
  Serve(dispatcher, v1::METADATA_SET_ATTRIBUTES, this, &S::SetAttributes);
  Serve(dispatcher, v1::METADATA_CHECK_ACCESS, this, &S::CheckAccess);
  dispatcher.Handle<v1::CreateRequest, v1::EntryResponse>(
      v1::METADATA_CREATE, [this](const auto& call) { Create(call, 8); });
  Serve(dispatcher, v1::METADATA_MAKE_NODE, this, &S::MakeNode);
  Serve(dispatcher, v1::METADATA_MAKE_DIRECTORY, this, &S::MakeDirectory);
  Serve(dispatcher, v1::METADATA_MAKE_SYMLINK, this, &S::MakeSymlink);
  Serve(dispatcher, v1::METADATA_LINK, this, &S::Link);
  Serve(dispatcher, v1::METADATA_UNLINK, this, &S::Unlink);
  Serve(dispatcher, v1::METADATA_REMOVE_DIRECTORY, this, &S::RemoveDirectory);
  Serve(dispatcher, v1::METADATA_RENAME, this, &S::Rename);
  dispatcher.Handle<v1::OpenRequest, v1::EntryResponse>(v1::METADATA_OPEN,
                                                        [this](const auto& call) { Open(call); });
  Serve(dispatcher, v1::METADATA_CLOSE, this, &S::Close);
  Serve(dispatcher, v1::METADATA_COMMIT_WRITE, this, &S::CommitWrite);
  Serve(dispatcher, v1::METADATA_EXTEND, this, &S::Extend);
  Serve(dispatcher, v1::METADATA_READ_DIRECTORY, this, &S::ReadDirectory);
  Serve(dispatcher, v1::METADATA_READ_SYMLINK, this, &S::ReadSymlink);
  Serve(dispatcher, v1::METADATA_STATFS, this, &S::StatFs);
  Serve(dispatcher, v1::METADATA_FETCH_MAP, this, &S::FetchMap);
  Serve(dispatcher, v1::METADATA_RENEW_TOKENS, this, &S::RenewTokens);
}

Status MetadataService::Hear(const PeerIdentity& peer, SessionId session) {
  if (session.value == 0 || sessions_.Touch(session, ConfinedTo(peer))) return OkStatus();
  return Status::Error(ErrorCode::kUnknownSession, "session {}", session);
}

void MetadataService::Propose(v1::Command command, ProposalDone done) {
  state_.Propose(std::move(command), [done = std::move(done)](Result<v1::Outcome> outcome) {
    if (outcome && outcome->code() != 0) {
      outcome = Fail(Status(static_cast<ErrorCode>(outcome->code()), outcome->message()));
    }
    done(std::move(outcome));
  });
}

void MetadataService::ProposeEntry(v1::Command command,
                                   std::function<void(Result<v1::EntryResponse>)> done) {
  Propose(std::move(command), [this, done = std::move(done)](Result<v1::Outcome> outcome) {
    if (!outcome) return done(Fail(outcome.error()));
    done(EntryAnswer(*outcome));
  });
}

Result<v1::EntryResponse> MetadataService::EntryAnswer(const v1::Outcome& outcome) {
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadInode(*state_.View(), InodeId(outcome.inode())));
  v1::EntryResponse response = EntryOf(std::move(inode));
  response.set_created(outcome.created());
  return response;
}

v1::EntryResponse EntryOf(v1::InodeRecord inode) {
  v1::EntryResponse response;
  response.mutable_attributes()->Swap(inode.mutable_attributes());
  if (!inode.has_file()) return response;
  auto cuts = KnownCuts(inode);
  response.mutable_file()->Swap(inode.mutable_file());
  response.mutable_file()->mutable_cuts()->Swap(&cuts);
  return response;
}

}  // namespace cairn
