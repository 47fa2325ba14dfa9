#include <utility>

#include "metaserver/service/metadata_service.h"
#include "metaserver/store/rows.h"

namespace cairn {

namespace {
constexpr int kMostTokens = 1000;
}

// The right to the bytes was checked by the open that `entry` answers.
Result<v1::EntryResponse> MetadataService::WithToken(Result<v1::EntryResponse> entry,
                                                     const v1::RequestId& id, uint32_t flags) {
  if (!entry || !entry->has_file()) return entry;
  entry->set_token(tokens_.Issue(SessionId(id.session()), InodeId(entry->attributes().inode()),
                                 TokenRights(flags), entry->file().generation()));
  return entry;
}

// The same rights once more, to the file as it is now. Empty: the session does not hold it open.
std::string MetadataService::RenewedToken(const std::string& token, SessionId session,
                                          const ReadView& view) {
  const std::optional<v1::TokenClaims> claims = tokens_.ClaimsOf(token, session);
  if (!claims || !sessions_.MayHold(session, InodeId(claims->inode()))) return {};
  const Result<v1::InodeRecord> inode = LoadInode(view, InodeId(claims->inode()));
  if (!inode) return {};
  return tokens_.Issue(session, InodeId(claims->inode()), claims->rights(),
                       inode->file().generation());
}

// What was opened keeps its rights until it is closed, whatever becomes of the mode bits.
void MetadataService::RenewTokens(Call<v1::RenewTokensRequest, v1::RenewTokensResponse> call) {
  const v1::RenewTokensRequest& request = call.request();
  if (request.tokens_size() > kMostTokens) {
    return call.Fail(Status::Error(ErrorCode::kTooLarge, "{} tokens, at most {}",
                                   request.tokens_size(), kMostTokens));
  }
  const SessionId session(request.session());
  if (Status status = Hear(call.peer(), session); !status.ok()) return call.Fail(status);
  v1::RenewTokensResponse response;
  const std::unique_ptr<ReadView> view = state_.View();
  for (const std::string& token : request.tokens()) {
    response.add_tokens(RenewedToken(token, session, *view));
  }
  call.Reply(response);
}

}  // namespace cairn
