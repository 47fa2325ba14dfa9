#include <utility>

#include "metaserver/service/metadata_service.h"

namespace cairn {

namespace {
constexpr int kMostTokens = 1000;
}

// The right to the bytes was checked by the open that `entry` answers.
Result<v1::EntryResponse> MetadataService::WithToken(Result<v1::EntryResponse> entry,
                                                     const v1::RequestId& id, uint32_t flags) {
  if (!entry || !entry->has_file()) return entry;
  entry->set_token(tokens_.Issue(SessionId(id.session()), InodeId(entry->attributes().inode()),
                                 TokenRights(flags)));
  return entry;
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
  for (const std::string& token : request.tokens()) {
    const InodeId inode = tokens_.InodeOf(token, session);
    const bool held = inode != InodeId{} && sessions_.MayHold(session, inode);
    response.add_tokens(held ? tokens_.Renew(token) : std::string());
  }
  call.Reply(response);
}

}  // namespace cairn
