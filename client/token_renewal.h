// New tokens for old ones: for a file whose tokens a chunkserver has refused, and for all files now
// and then, so that one that is not used for long stays open with the rights it was opened with.
#pragma once

#include <vector>

#include "client/inode_state.h"
#include "client/metadata_client.h"

namespace cairn::client {

// Once for all requests that were refused together: nothing is asked when tokens have come since
// the refused try began. What cannot be renewed is opened again, as whoever opened it. Blocks at
// most until the deadline; without success the old tokens stay.
void RenewTokens(MetadataClient& metadata, const InodeStatePtr& state, BootTime began,
                 Deadline deadline);

// Of all these files, many in one request. What cannot be renewed now stays as it is.
void RenewAllTokens(MetadataClient& metadata, const std::vector<InodeStatePtr>& states,
                    Duration patience);

}  // namespace cairn::client
