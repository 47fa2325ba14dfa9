// What a log knows about itself apart from its entries, in one small file that is replaced whole.
#pragma once

#include <string>

#include "common/file.h"
#include "common/ids.h"

namespace cairn {

struct LogFacts {
  Incarnation incarnation;  // starts so far (rule M4)
  Term term;                // the newest this member has lived in
  LogIndex synced;          // entries up to here were on disk when the file was written
};

// kNotFound: a new directory. kCorruption: the file does not parse or match its checksum.
Result<LogFacts> LoadLogFacts(FileSystem& files, const std::string& path);
// Durable on return.
Status SaveLogFacts(FileSystem& files, const std::string& path, const LogFacts& facts);

}  // namespace cairn
