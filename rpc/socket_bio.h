// The socket under OpenSSL. Its own BIO uses write(2), which raises SIGPIPE when the peer is gone
// and would end a process that only lost a connection.
#pragma once

struct bio_st;

namespace cairn {

// Does not own `descriptor`. Null when there is no memory.
bio_st* NewSocketBio(int descriptor);

}  // namespace cairn
