#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "metaserver/operations/access.h"
#include "metaserver/operations/names.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"
#include "rpc/chunk_token.h"

namespace cairn {

namespace {

Result<bool> WasAnswered(const ReadView& view, const v1::RequestId& id) {
  if (id.session() == 0) return false;
  ASSIGN_OR_RETURN(const auto row,
                   view.Get(schema::ReplyKey(SessionId(id.session()), id.sequence())));
  return row.has_value();
}

// The inode a create finds in its place; 0 if there is none.
Result<InodeId> FindExisting(const ReadView& view, const v1::CreateRequest& request) {
  RETURN_IF_ERROR(CheckName(request.name()));
  ASSIGN_OR_RETURN(const auto entry, FindEntry(view, InodeId(request.parent()), request.name()));
  if (!entry) return InodeId(0);
  ASSIGN_OR_RETURN(const v1::InodeRecord parent, LoadDirectory(view, InodeId(request.parent())));
  RETURN_IF_ERROR(CheckAccess(parent.attributes(), request.caller(), kMayExecute));
  if ((request.flags() & O_EXCL) != 0) return Fail(ErrorCode::kExists, "the name is taken");
  ASSIGN_OR_RETURN(const v1::InodeRecord inode, LoadInode(view, InodeId(entry->inode())));
  if (IsDirectory(inode)) return Fail(ErrorCode::kIsDirectory, "inode {}", entry->inode());
  // The caller thought the name was free; a link must be followed and a pipe opened by the kernel.
  if (!IsRegularFile(inode)) {
    return Fail(ErrorCode::kStaleHandle, "look the name up again: inode {}", entry->inode());
  }
  return InodeId(entry->inode());
}

Result<bool> IsHolder(const ReadView& view, InodeId inode, uint64_t session) {
  ASSIGN_OR_RETURN(const auto orphan, LoadRow<v1::OrphanRecord>(view, schema::OrphanKey(inode)));
  if (!orphan) return false;
  const auto& holders = orphan->holders();
  return std::find(holders.begin(), holders.end(), session) != holders.end();
}

constexpr int kMostEnds = 1000;  // of extensions, in one Close

// A kernel that is to run a file opens it to read without the right to; it asks through a mount
// that is trusted. Any other peer would get to see the bytes itself.
uint32_t FlagsFor(const PeerIdentity& peer, uint32_t flags) {
  return IsTrusted(peer) ? flags : flags & ~kOpenToExecute;
}

v1::OpenRequest OpenOf(const PeerIdentity& peer, const v1::CreateRequest& create, InodeId inode) {
  v1::OpenRequest open;
  *open.mutable_id() = create.id();
  *open.mutable_caller() = create.caller();
  open.set_inode(inode.value);
  open.set_flags(FlagsFor(peer, create.flags()));
  return open;
}

Status AnotherRequest(const v1::RequestId& id) {
  return Status::Error(ErrorCode::kInvalidArgument, "request {} of session {} was another one",
                       id.sequence(), id.session());
}

Result<v1::EntryResponse> Refusal(SessionTable::OpenResult result) {
  if (result == SessionTable::OpenResult::kTooMany) {
    return Fail(ErrorCode::kBusy, "the session holds too many files open");
  }
  return Fail(ErrorCode::kUnknownSession, "the session has ended");
}

}  // namespace

void MetadataService::Create(const Call<v1::CreateRequest, v1::EntryResponse>& call,
                             int tries_left) {
  const v1::CreateRequest& request = call.request();
  if (Status status = Admit(call.peer(), request); !status.ok()) return call.Fail(status);
  const std::unique_ptr<ReadView> view = state_.View();
  // A retry must hear of its own success, not of the file it finds there.
  const Result<bool> answered = WasAnswered(*view, request.id());
  if (!answered) return call.Fail(answered.error());
  if (*answered) return ProposeCreate(call, tries_left);
  const Result<InodeId> existing = FindExisting(*view, request);
  if (!existing) return call.Fail(existing.error());
  if (existing->value == 0) return ProposeCreate(call, tries_left);
  OpenInode(
      OpenOf(call.peer(), request, *existing), [this, call](Result<v1::EntryResponse> result) {
        call.Finish(WithToken(std::move(result), call.request().id(), call.request().flags()));
      });
}

void MetadataService::ProposeCreate(const Call<v1::CreateRequest, v1::EntryResponse>& call,
                                    int tries_left) {
  v1::Command command;
  *command.mutable_create() = call.request();
  ProposeEntry(std::move(command), [this, call, tries_left](Result<v1::EntryResponse> result) {
    const bool raced = !result && result.error().code() == ErrorCode::kBusy;
    if (raced && tries_left > 0) return Create(call, tries_left - 1);
    if (result && !result->created()) return Reopen(call, *result);
    call.Finish(WithToken(std::move(result), call.request().id(), call.request().flags()));
  });
}

// A retry whose first try found the file and cut it; or the outcome of quite another request under
// the same number, which says nothing of the right to the file it names.
void MetadataService::Reopen(const Call<v1::CreateRequest, v1::EntryResponse>& call,
                             const v1::EntryResponse& found) {
  v1::OpenRequest open = OpenOf(call.peer(), call.request(), InodeId(found.attributes().inode()));
  open.set_flags(open.flags() & ~static_cast<uint32_t>(O_TRUNC));
  OpenInode(open, [this, call](Result<v1::EntryResponse> result) {
    call.Finish(WithToken(std::move(result), call.request().id(), call.request().flags()));
  });
}

void MetadataService::Open(const Call<v1::OpenRequest, v1::EntryResponse>& call) {
  if (Status status = Admit(call.peer(), call.request()); !status.ok()) return call.Fail(status);
  v1::OpenRequest request = call.request();
  request.set_flags(FlagsFor(call.peer(), request.flags()));
  OpenInode(request, [this, call](Result<v1::EntryResponse> result) {
    call.Finish(WithToken(std::move(result), call.request().id(), call.request().flags()));
  });
}

void MetadataService::OpenInode(const v1::OpenRequest& request,
                                const std::function<void(Result<v1::EntryResponse>)>& done) {
  const SessionId session(request.id().session());
  const InodeId id(request.inode());
  const Result<v1::InodeRecord> inode = LoadInode(*state_.View(), id);
  if (!inode) return done(Fail(inode.error()));
  if (Status status = CheckOpen(*inode, request.caller(), request.flags()); !status.ok()) {
    return done(Fail(status));
  }
  if (!IsRegularFile(*inode)) return done(EntryOf(*inode));

  using OpenResult = SessionTable::OpenResult;
  const OpenResult registered =
      sessions_.RegisterOpen(session, id, [this, request, done] { OpenInode(request, done); });
  if (registered == OpenResult::kDeferred) return;
  if (registered != OpenResult::kRegistered) return done(Refusal(registered));
  if ((request.flags() & O_TRUNC) == 0) return done(StillThere(request));
  v1::Command command;
  *command.mutable_open_truncate()->mutable_request() = request;
  ProposeEntry(std::move(command), [request, done](Result<v1::EntryResponse> result) {
    const bool of_another = result && result->attributes().inode() != request.inode();
    of_another ? done(Fail(AnotherRequest(request.id()))) : done(std::move(result));
  });
}

// Read after the session was registered: an unlink that came before is seen here, one that comes
// later finds the holder (rule C11).
Result<v1::EntryResponse> MetadataService::StillThere(const v1::OpenRequest& request) {
  const InodeId id(request.inode());
  const std::unique_ptr<ReadView> view = state_.View();
  Result<v1::InodeRecord> inode = LoadInode(*view, id);
  if (inode && inode->attributes().links() > 0) return EntryOf(*std::move(inode));
  if (inode) {
    ASSIGN_OR_RETURN(const bool holder, IsHolder(*view, id, request.id().session()));
    if (holder) return EntryOf(*std::move(inode));
  }
  sessions_.RegisterClose(SessionId(request.id().session()), id);
  return Fail(ErrorCode::kStaleHandle, "inode {} was removed", id);
}

// What it wrote past sizes is told first: an unlinked file would else be searched for more.
void MetadataService::Close(Call<v1::CloseRequest, v1::CloseResponse> call) {
  const v1::CloseRequest& request = call.request();
  const SessionId session(request.session());
  if (Status status = Hear(call.peer(), session); !status.ok()) return call.Fail(status);
  if (request.extended_size() > kMostEnds) {
    return call.Fail(Status::Error(ErrorCode::kTooLarge, "{} ends, at most {}",
                                   request.extended_size(), kMostEnds));
  }
  if (request.extended().empty()) return CloseFiles(call);
  if (request.end_id().session() != session.value) {
    return call.Fail(Status(ErrorCode::kInvalidArgument, "an end without a number"));
  }
  v1::Command command;
  v1::EndExtendCommand& end = *command.mutable_end_extend();
  end.set_session(session.value);
  *end.mutable_inodes() = request.extended();
  *end.mutable_id() = request.end_id();
  Propose(std::move(command), [this, call](const Result<v1::Outcome>& outcome) {
    outcome ? CloseFiles(call) : call.Fail(outcome.error());
  });
}

// Answered when every orphan it held is released, so that a close that failed is tried again.
void MetadataService::CloseFiles(const Call<v1::CloseRequest, v1::CloseResponse>& call) {
  const SessionId session(call.request().session());
  struct Pending {
    std::atomic<int> left{1};
    std::atomic<bool> failed{false};
  };
  auto pending = std::make_shared<Pending>();
  auto finish = [call, pending] {
    if (pending->left.fetch_sub(1) != 1) return;
    if (pending->failed) return call.Fail(Status(ErrorCode::kUnavailable, "not released, retry"));
    call.Reply({});
  };
  for (uint64_t inode : call.request().inodes()) {
    sessions_.RegisterClose(session, InodeId(inode));
    const auto orphan = state_.View()->Get(schema::OrphanKey(InodeId(inode)));
    if (orphan && !*orphan) continue;
    v1::Command command;
    command.mutable_release_orphan()->set_inode(inode);
    command.mutable_release_orphan()->set_session(session.value);
    pending->left.fetch_add(1);
    Propose(std::move(command), [pending, finish](const Result<v1::Outcome>& outcome) {
      if (!outcome) pending->failed = true;
      finish();
    });
  }
  finish();
}

// The right to write was checked at open, which gave an ordinary user a token that says so.
Status MetadataService::AdmitWriter(const PeerIdentity& peer, SessionId session, InodeId inode,
                                    const std::string& token) {
  RETURN_IF_ERROR(Hear(peer, session));
  if (IsTrusted(peer)) return OkStatus();
  const std::optional<v1::TokenClaims> claims = tokens_.ClaimsOf(token, session);
  const bool may_write = claims && InodeId(claims->inode()) == inode &&
                         (claims->rights() & kTokenWrite) != 0 && sessions_.MayHold(session, inode);
  if (may_write) return OkStatus();
  return Status::Error(ErrorCode::kPermission, "session {} has not opened inode {} for writing",
                       session, inode);
}

void MetadataService::CommitWrite(Call<v1::CommitWriteRequest, v1::EntryResponse> call) {
  const v1::CommitWriteRequest& request = call.request();
  const Status status = AdmitWriter(call.peer(), SessionId(request.id().session()),
                                    InodeId(request.inode()), request.token());
  if (!status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_commit_write() = request;
  command.mutable_commit_write()->clear_token();
  ProposeEntry(std::move(command), [call](const auto& result) { call.Finish(result); });
}

void MetadataService::Extend(Call<v1::ExtendRequest, v1::EntryResponse> call) {
  const v1::ExtendRequest& request = call.request();
  const Status status = AdmitWriter(call.peer(), SessionId(request.id().session()),
                                    InodeId(request.inode()), request.token());
  if (!status.ok()) return call.Fail(status);
  v1::Command command;
  *command.mutable_extend() = request;
  command.mutable_extend()->clear_token();
  ProposeEntry(std::move(command), [call](const auto& result) { call.Finish(result); });
}

}  // namespace cairn
