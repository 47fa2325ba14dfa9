// Open files.
#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "client/attributes.h"
#include "client/mount.h"

namespace cairn::client {

namespace {
constexpr int kMostRefetches = 3;

v1::OpenRequest MakeOpenRequest(const Identity& who, InodeId inode, int flags) {
  v1::OpenRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_inode(inode.value);
  request.set_flags(static_cast<uint32_t>(flags));
  return request;
}

bool HasSetId(const InodeState& state) {
  absl::MutexLock lock(&state.mu);
  return (state.attributes.mode() & (S_ISUID | S_ISGID)) != 0;
}
}  // namespace

Result<MountedFileSystem::Opened> Mount::FinishOpen(v1::EntryResponse response, SessionId session,
                                                    const v1::Caller& opener, int flags) {
  const std::string token = response.token();
  Result<InodeStatePtr> state = table_.Acquire(response, session);
  for (int i = 0; i < kMostRefetches && !state.has_value(); ++i) {
    if (state.error().code() != ErrorCode::kBusy) break;
    ASSIGN_OR_RETURN(response, FetchAttributes(InodeId(response.attributes().inode())));
    state = table_.Acquire(response, session);
  }
  RETURN_IF_ERROR(state);
  uint64_t errors = 0;
  bool keep_cache = false;
  {
    absl::MutexLock lock(&(*state)->mu);
    (*state)->tokens.Learn(token, flags, opener);
    // As Linux does: a failure that nobody was told is told to whoever opens next.
    errors = (*state)->errors - ((*state)->error_untold ? 1 : 0);
    keep_cache = (*state)->cached_version == response.attributes().version();
    (*state)->cached_version = response.attributes().version();
    if (!keep_cache) (*state)->cache.Clear();
    if (response.created() && (flags & O_ACCMODE) != O_RDONLY) {
      (*state)->extension.BeginWithNewFile();
    }
    if (session_.opens().IsSpoilt(session, (*state)->id)) (*state)->extension.BeginSpoilt();
  }
  Entry entry = ToEntry(std::move(response));
  entry.keep_cache = keep_cache;
  return Opened{entry, std::make_shared<OpenFile>(*state, flags, errors)};
}

Result<MountedFileSystem::Opened> Mount::Create(const Identity& who, InodeId parent,
                                                std::string_view name, uint32_t mode, int flags) {
  RETURN_IF_ERROR(CheckChange(name));
  v1::CreateRequest request;
  *request.mutable_caller() = ToCaller(who);
  request.set_parent(parent.value);
  request.set_name(std::string(name));
  request.set_mode(mode);
  request.set_flags(static_cast<uint32_t>(flags));
  uint64_t round = session_.opens().close_rounds();
  ASSIGN_OR_RETURN(auto told, metadata_.ChangeAndTell<v1::EntryResponse>(v1::METADATA_CREATE,
                                                                         std::move(request)));
  auto& [response, session] = told;
  bool close_was_under_way = round % 2 == 1 || round != session_.opens().close_rounds();
  if (response.created() || !close_was_under_way) {
    return FinishOpen(std::move(response), session, ToCaller(who), flags);
  }
  // The file was there, and a Close that named it may have come after this open: open it again.
  return Open(who, InodeId(response.attributes().inode()), flags & ~(O_TRUNC | O_CREAT | O_EXCL));
}

Result<MountedFileSystem::Opened> Mount::OpenHeld(const v1::OpenRequest& request,
                                                  const InodeStatePtr& cut) {
  if (cut != nullptr) RETURN_IF_ERROR(writes_.BeginSizeChange(cut));
  auto told = metadata_.ChangeAndTell<v1::EntryResponse>(v1::METADATA_OPEN, request);
  if (cut != nullptr) {
    if (told.has_value()) {
      absl::MutexLock lock(&cut->mu);
      cut->LearnOwnChange(told->first);
    }
    writes_.EndSizeChange(cut);
  }
  RETURN_IF_ERROR(told);
  return FinishOpen(std::move(told->first), told->second, request.caller(),
                    static_cast<int>(request.flags()));
}

Result<MountedFileSystem::Opened> Mount::Open(const Identity& who, InodeId inode, int flags) {
  if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0) RETURN_IF_ERROR(CheckWritable());
  Deadline deadline = Deadline::After(options_.timeout);
  ASSIGN_OR_RETURN(SessionId held_under, session_.Ensure(deadline));
  RETURN_IF_ERROR(session_.opens().Begin(inode, deadline));
  InodeStatePtr cut = (flags & O_TRUNC) != 0 ? table_.Find(inode) : nullptr;
  Result<Opened> opened = OpenHeld(MakeOpenRequest(who, inode, flags), cut);
  session_.Release(held_under, inode);
  return opened;
}

Result<std::vector<Payload>> Mount::Read(const OpenFilePtr& file, uint64_t offset, size_t length) {
  const InodeStatePtr& state = file->state;
  if (length == 0) return std::vector<Payload>{};
  if (session_.Current() != state->session) {
    return Fail(ErrorCode::kIoError, "the session that opened inode {} was lost", state->id);
  }
  bool beyond = false;
  {
    absl::MutexLock lock(&state->mu);
    beyond = offset >= state->Size();
  }
  if (beyond) {  // unless another mount has made the file longer
    ASSIGN_OR_RETURN(v1::EntryResponse response, FetchAttributes(state->id));
    absl::MutexLock lock(&state->mu);
    state->Learn(response);
  }
  return reader_.Read(*file, offset, length);
}

Status Mount::Write(uint32_t uid, const OpenFilePtr& file, uint64_t offset,
                    std::span<const std::byte> data, int flags) {
  RETURN_IF_ERROR(CheckWritable());
  RETURN_IF_ERROR(file->TakeError());
  WriteKind kind{(flags & O_APPEND) != 0, uid != 0};
  RETURN_IF_ERROR(writes_.Write(file->state, offset, kind, data));
  // Nobody may run the changed program with the owner's rights, not even for a second.
  if (uid != 0 && HasSetId(*file->state)) RETURN_IF_ERROR(writes_.Flush(file->state));
  if ((flags & (O_SYNC | O_DSYNC)) != 0) return Fsync(file);
  return near_full_.Now() ? WriteThrough(file) : OkStatus();
}

Status Mount::WriteThrough(const OpenFilePtr& file) {
  RETURN_IF_ERROR(writes_.AwaitSettled(file->state, writes_.StartFlush(file->state)));
  return file->TakeError();
}

Status Mount::Flush(const OpenFilePtr& file) {
  uint64_t newest = writes_.StartFlush(file->state);
  Status committed =
      options_.sync_close ? writes_.AwaitCommitted(file->state, newest) : OkStatus();
  // Whoever only reads checks no close, and would use up what a writer has to hear.
  if ((file->flags & O_ACCMODE) != O_RDONLY) RETURN_IF_ERROR(file->TakeError());
  return committed;
}

Status Mount::Fsync(const OpenFilePtr& file) {
  uint64_t newest = writes_.StartFlush(file->state);
  RETURN_IF_ERROR(writes_.AwaitSettled(file->state, newest));
  // The commit is on its way meanwhile.
  Status synced = writes_.Sync(file->state);
  Status committed = writes_.AwaitCommitted(file->state, newest);
  RETURN_IF_ERROR(file->TakeError());
  RETURN_IF_ERROR(committed);
  return synced;
}

void Mount::Release(OpenFilePtr file) {
  {
    OpenFile::ReadAheadPlan ended = file->EndReadAhead();
    absl::MutexLock lock(&file->state->mu);
    file->state->cache.Forget(ended.forget_begin, ended.forget_end);
  }
  writes_.StartFlush(file->state);
  table_.Release(file->state);
}

Status Mount::FlushAll(Deadline deadline) { return writes_.FlushAll(deadline); }

}  // namespace cairn::client
