#include "client/token_renewal.h"

#include <fcntl.h>

#include <string>
#include <utility>
#include <vector>

#include "cairn/v1/metadata.pb.h"
#include "client/backoff.h"
#include "common/logging.h"

namespace cairn::client {

namespace {

constexpr size_t kMostTokens = 1000;  // in one request

// False: somebody else has done it since `began`, or does not end with it.
bool BeginRenewal(InodeState& state, BootTime began, Deadline deadline) {
  absl::MutexLock lock(&state.mu);
  auto alone = [&]() ABSL_SHARED_LOCKS_REQUIRED(state.mu) { return !state.tokens.renewing; };
  if (!AwaitUntil(state.mu, alone, deadline) || state.tokens.renewed > began) return false;
  state.tokens.renewing = true;
  return true;
}

// In the order of `old`; empty where there is no new one.
std::vector<std::string> AskForNew(MetadataClient& metadata, SessionId session,
                                   const std::vector<std::string>& old, Deadline deadline) {
  v1::RenewTokensRequest request;
  request.set_session(session.value);
  for (const std::string& token : old) request.add_tokens(token);
  auto response = metadata.Query<v1::RenewTokensResponse>(v1::METADATA_RENEW_TOKENS, request,
                                                          deadline);
  std::vector<std::string> renewed(old.size());
  if (!response.has_value()) {
    if (response.error().code() == ErrorCode::kUnknownSession) {
      metadata.session().Lost(session);
    }
    LOG_DEBUG("tokens not renewed count={} cause=\"{}\"", old.size(), response.error());
    return renewed;
  }
  for (size_t i = 0; i < old.size() && static_cast<int>(i) < response->tokens_size(); ++i) {
    renewed[i] = response->tokens(static_cast<int>(i));
  }
  return renewed;
}

std::string OpenAgain(MetadataClient& metadata, const InodeState& state, int flags,
                      const v1::Caller& opener) {
  v1::OpenRequest request;
  *request.mutable_caller() = opener;
  request.set_inode(state.id.value);
  request.set_flags(static_cast<uint32_t>(flags));
  // The session holds the inode already: this Open and a Close cannot meet (OpenRegistry).
  auto entry =
      metadata.Change<v1::EntryResponse>(v1::METADATA_OPEN, std::move(request), state.session);
  if (entry.has_value()) return entry->token();
  LOG_DEBUG("file not opened again inode={} cause=\"{}\"", state.id, entry.error());
  return {};
}

// The tokens of files of one session, and whose they are.
struct Batch {
  std::vector<std::string> old;
  std::vector<std::pair<InodeStatePtr, FileTokens::Right FileTokens::*>> owners;
};

void RenewBatch(MetadataClient& metadata, SessionId session, const Batch& batch,
                Deadline deadline) {
  const std::vector<std::string> renewed = AskForNew(metadata, session, batch.old, deadline);
  for (size_t i = 0; i < renewed.size(); ++i) {
    const auto& [state, member] = batch.owners[i];
    absl::MutexLock lock(&state->mu);
    FileTokens::Right& right = state->tokens.*member;
    if (!renewed[i].empty() && right.token == batch.old[i]) right.token = renewed[i];
  }
}

}  // namespace

void RenewAllTokens(MetadataClient& metadata, const std::vector<InodeStatePtr>& states,
                    Duration patience) {
  const SessionId session = metadata.session().Current();
  Batch batch;
  for (const InodeStatePtr& state : states) {
    if (state->session != session) continue;
    for (const auto member : {&FileTokens::read, &FileTokens::write}) {
      absl::MutexLock lock(&state->mu);
      const std::string& token = (state->tokens.*member).token;
      if (token.empty()) continue;
      batch.old.push_back(token);
      batch.owners.emplace_back(state, member);
    }
    if (batch.old.size() + 2 <= kMostTokens) continue;
    RenewBatch(metadata, session, std::exchange(batch, {}), Deadline::After(patience));
  }
  if (!batch.old.empty()) RenewBatch(metadata, session, batch, Deadline::After(patience));
}

void RenewTokens(MetadataClient& metadata, const InodeStatePtr& state, BootTime began,
                 Deadline deadline) {
  if (!BeginRenewal(*state, began, deadline)) return;
  FileTokens tokens;
  {
    absl::MutexLock lock(&state->mu);
    tokens = state->tokens;
  }
  const std::vector<std::string> renewed =
      AskForNew(metadata, state->session, {tokens.read.token, tokens.write.token}, deadline);
  const bool lost = metadata.session().Current() != state->session;
  auto renew = [&](FileTokens::Right& right, const std::string& token, int flags) {
    if (!right.wanted || lost) return;
    right.token = token.empty() ? OpenAgain(metadata, *state, flags, right.opener) : token;
  };
  renew(tokens.read, renewed[0], O_RDONLY);
  renew(tokens.write, renewed[1], O_WRONLY);
  absl::MutexLock lock(&state->mu);
  if (!tokens.read.token.empty()) state->tokens.read = std::move(tokens.read);
  if (!tokens.write.token.empty()) state->tokens.write = std::move(tokens.write);
  state->tokens.renewing = false;
  state->tokens.renewed = SystemClock().Now();
}

}  // namespace cairn::client
