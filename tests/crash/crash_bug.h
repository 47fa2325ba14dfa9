// Bugs of the disk that the crash points must find, each one that a store could have in its place.
#pragma once

namespace cairn::crash {

enum class CrashBug {
  kNone,
  kEntryNotSynced,      // C5: a new file is synced, its directory is not
  kDataNotSynced,       // fsync: rows are, data is not
  kSealedBeforeSync,    // C5: a chunk is marked sealed although its data was not synced
  kUnsealNotDurable,    // invariant 2: bytes of a sealed chunk change before its unseal is on disk
  kIndexNotSynced,      // fsync: data is synced, rows are not
  kLogRotatedUnsynced,  // M2: a write-ahead log has a successor before it is on disk
  kRowsOutOfOrder,      // M2: an unsynced batch is left out, later ones are there
};

}  // namespace cairn::crash
