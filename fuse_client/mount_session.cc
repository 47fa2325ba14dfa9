#include "fuse_client/mount_session.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "common/logging.h"
#include "fuse_client/fuse_bridge.h"
#include "fuse_client/last_signals.h"

namespace cairn::fuse {

namespace {

// A system call that waits for the servers, for up to the mount's timeout, holds one thread. With
// none left nobody is served, files whose servers are well included, nor is an INTERRUPT read: so
// there may be many. libfuse makes one only when all others are at work, and ends those that are
// idle beyond the second figure; each keeps a request buffer of max_write.
constexpr unsigned kMaxThreads = 512;
constexpr unsigned kIdleThreads = 32;
// Buffered reads and readahead. The kernel holds back what is beyond, whichever file it is for, so
// it must be out of reach of some stuck ones; below kMaxThreads, so that the rest find a thread.
constexpr unsigned kMaxBackground = 384;

void Init(void* userdata, fuse_conn_info* connection) {
  connection->max_write = kMaxTransferBytes;
  connection->max_readahead = kMaxTransferBytes;
  connection->max_background = kMaxBackground;
  connection->want |= connection->capable &
                      (FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
                       FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO |
                       FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA);
  // The write-back cache would ignore sizes set by other mounts; splice never pays here.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_SPLICE_READ |
                                             FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  static_cast<MountContext*>(userdata)->on_answering();
}

fuse_lowlevel_ops Operations() {
  fuse_lowlevel_ops operations{};
  operations.init = Init;
  AddNameOperations(operations);
  AddAttributeOperations(operations);
  AddDirectoryOperations(operations);
  AddFileOperations(operations);
  return operations;
}

class Arguments {
 public:
  explicit Arguments(const SessionOptions& options) {
    char* words = nullptr;
    fuse_opt_add_opt_escaped(&words, ("fsname=" + options.source).c_str());
    fuse_opt_add_opt_escaped(&words, "subtype=cairn");
    for (const std::string& option : options.kernel_options) {
      fuse_opt_add_opt_escaped(&words, option.c_str());
    }
    fuse_opt_add_arg(&list_, "cairn-fuse");
    fuse_opt_add_arg(&list_, "-o");
    fuse_opt_add_arg(&list_, words);
    std::free(words);
  }
  ~Arguments() { fuse_opt_free_args(&list_); }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  fuse_args* get() { return &list_; }

 private:
  fuse_args list_ = FUSE_ARGS_INIT(0, nullptr);
};

// The kernel reads ahead 128 KiB unless told otherwise; only root may tell it. It is a matter of
// speed alone, so a refusal is not an error. Must not be asked before the mount answers.
void RaiseKernelReadahead(dev_t device) {
  std::ofstream setting(fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(device),
                                    minor(device)));
  setting << 4 * kMaxTransferBytes / 1024 << std::flush;
}

// Looks at the mount as any program would, from a thread of its own, and tells that it answers; one
// that does not is of no use to anybody, so the session ends as it does when told by a signal.
class Greeter {
 public:
  // On the thread that is going to serve.
  explicit Greeter(const SessionOptions& options) : options_(options), server_(pthread_self()) {}
  ~Greeter() { (void)Finish(); }
  void Start() {
    thread_ = std::thread([this] { Greet(); });
  }
  // Waits for the answer; kUnavailable: there was an error instead.
  Status Finish() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  void Greet() {
    struct stat root {};
    if (stat(options_.mount_point.c_str(), &root) != 0) {
      status_ = Status::Error(ErrorCode::kUnavailable, "{} was mounted and does not answer: {}",
                              options_.mount_point, std::generic_category().message(errno));
      pthread_kill(server_, SIGTERM);
      return;
    }
    RaiseKernelReadahead(root.st_dev);
    options_.on_answering();
  }

  const SessionOptions& options_;
  const pthread_t server_;
  Status status_;  // written by the thread, read once it is joined
  std::thread thread_;
};

Status RunLoop(fuse_session* session) {
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 0);
  fuse_loop_cfg_set_max_threads(config, kMaxThreads);
  fuse_loop_cfg_set_idle_threads(config, kIdleThreads);
  int result = fuse_session_loop_mt(session, config);
  fuse_loop_cfg_destroy(config);
  return result < 0 ? Status::FromErrno(-result, "serving the mount") : OkStatus();
}

Status MountAndRun(fuse_session* session, const std::string& mount_point) {
  if (fuse_set_signal_handlers(session) != 0) {
    return Status::Error(ErrorCode::kInternal, "signal handlers cannot be set");
  }
  Status status;
  if (fuse_session_mount(session, mount_point.c_str()) != 0) {
    status = Status::Error(ErrorCode::kUnavailable, "{} cannot be mounted", mount_point);
  } else {
    status = RunLoop(session);
    PassOverOneSignal();
    fuse_session_unmount(session);
  }
  fuse_remove_signal_handlers(session);
  return status;
}

}  // namespace

Status ServeMount(MountedFileSystem& files, const SessionOptions& options) {
  Greeter greeter(options);
  MountContext context{files, [&greeter] { greeter.Start(); }};
  Arguments arguments(options);
  fuse_lowlevel_ops operations = Operations();
  fuse_session* session =
      fuse_session_new(arguments.get(), &operations, sizeof(operations), &context);
  if (session == nullptr) {
    return Status::Error(ErrorCode::kInvalidArgument, "libfuse refuses the mount options");
  }
  Status status = MountAndRun(session, options.mount_point);
  fuse_session_destroy(session);
  RETURN_IF_ERROR(status);
  return greeter.Finish();
}

}  // namespace cairn::fuse
