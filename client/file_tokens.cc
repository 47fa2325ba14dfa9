#include "client/file_tokens.h"

#include <fcntl.h>

namespace cairn::client {

void FileTokens::Learn(const std::string& token, int open_flags, const v1::Caller& opener) {
  const int mode = open_flags & O_ACCMODE;
  if (mode != O_WRONLY) read = {true, token, opener};
  if (mode != O_RDONLY) write = {true, token, opener};
}

const std::string& FileTokens::For(TokenUse use) const {
  if (use == TokenUse::kRead) return read.token;
  if (use == TokenUse::kWrite) return write.token;
  return write.token.empty() ? read.token : write.token;
}

}  // namespace cairn::client
