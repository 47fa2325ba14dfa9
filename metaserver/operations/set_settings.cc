#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> SetSettings(const v1::Command& command, MetadataTransaction& txn) {
  txn.Put(schema::SettingsKey(), command.set_settings().settings());
  txn.mutable_state().set_map_version(txn.state().map_version() + 1);
  return v1::Outcome();
}

}  // namespace cairn
