// The mount's standing with the metaserver: its id, kept alive by a thread of its own, and what it
// holds open, told again after a metaserver was restarted.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/metaserver_link.h"
#include "client/near_full.h"
#include "client/open_registry.h"
#include "client/request_numbers.h"
#include "common/ids.h"

namespace cairn::client {

struct SessionOptions {
  std::string client_id;
  std::string host;
  std::string mount_point;
  Duration renew_interval = timing::kSessionLife / 3;
  NearFull* near_full = nullptr;  // hears what the metaserver says of the disks
};

// A session that the metaserver no longer knows is lost for good: what was open under it answers
// kIoError, new work gets a new one (rule L1). Thread-safe.
class Session {
 public:
  Session(MetaserverLink* link, SessionOptions options);
  ~Session();  // Stop()s without telling the metaserver

  // Opens the first session and starts the keeper.
  Status Start(Deadline deadline);
  // Ends the keeper and closes the session.
  void Stop(Deadline deadline);

  SessionId Current() const;  // 0 while there is none
  Result<SessionId> Ensure(Deadline deadline);
  // Somebody answered kUnknownSession to `session`.
  void Lost(SessionId session);
  // Asks the metaserver soon whether it still knows us.
  void CheckSoon();

  // Names an inode as no longer open; batched and sent later.
  void Release(SessionId session, InodeId inode,
               Extension::Standing extension = Extension::Standing::kNone);
  OpenRegistry& opens() { return opens_; }
  RequestNumbers& numbers() { return numbers_; }
  std::string cluster_id() const;

 private:
  // Does nothing when the session is no longer `known`.
  Status OpenAgain(Deadline deadline, SessionId known);
  Status SendOpen(Deadline deadline);
  void Keep();
  void Renew();
  // False: nobody took it, or there was nothing to send.
  bool SendCloses(SessionId session);

  MetaserverLink* const link_;
  const SessionOptions options_;
  OpenRegistry opens_;
  RequestNumbers numbers_;
  mutable absl::Mutex mu_;
  SessionId current_ ABSL_GUARDED_BY(mu_);
  std::string cluster_id_ ABSL_GUARDED_BY(mu_);
  bool opening_ ABSL_GUARDED_BY(mu_) = false;  // an OpenSession is on its way; one at a time
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool check_soon_ ABSL_GUARDED_BY(mu_) = false;
  std::thread keeper_;
};

}  // namespace cairn::client
