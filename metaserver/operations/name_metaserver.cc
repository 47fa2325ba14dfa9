#include "metaserver/operations/operations.h"

namespace cairn {

// Ids are never given twice: a metaserver that lost its directory must not come back under its old
// one (rule M4).
Result<v1::Outcome> NameMetaserver(const v1::Command&, MetadataTransaction& txn) {
  v1::StateRecord& state = txn.mutable_state();
  v1::Outcome outcome;
  outcome.set_server(state.next_metaserver());
  state.set_next_metaserver(state.next_metaserver() + 1);
  return outcome;
}

}  // namespace cairn
