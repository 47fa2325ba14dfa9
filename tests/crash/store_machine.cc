#include "tests/crash/store_machine.h"

#include <utility>

#include "chunkserver/store/chunk_format.h"

namespace cairn::crash {
namespace {

constexpr char kDirectory[] = "/store";

}  // namespace

Status StoreMachine::Start() {
  FileSystem& files = disk_.Attach();
  env_ = std::make_unique<QueuedEnv>(files);
  ChunkStoreOptions options;
  options.directory = kDirectory;
  options.files = &files;
  options.clock = &clock_;
  options.clean_stop = std::exchange(clean_, false);
  options.unclean_boot = !options.clean_stop && booted_;
  options.open_index = [this, unclean_boot = options.unclean_boot] {
    return history_.Open(std::string(kDirectory) + "/index", unclean_boot, *env_);
  };
  ASSIGN_OR_RETURN(store_, ChunkStore::Open(options));
  booted_ = false;
  return OkStatus();
}

void StoreMachine::Kill() {
  disk_.Detach();
  store_.reset();
  env_.reset();
}

Status StoreMachine::Close() {
  RETURN_IF_ERROR(store_->Close());
  store_.reset();
  env_.reset();
  clean_ = !disk_.was_cut();
  return OkStatus();
}

void StoreMachine::LosePower(std::mt19937_64& random) {
  Kill();
  disk_.LosePower(random);
  history_.PowerWasCut();
  booted_ = true;
}

std::string StoreMachine::PathOf(ChunkId id) const {
  return std::string(kDirectory) + "/" + ChunkFolder(id) + "/" + ChunkFileName(id);
}

}  // namespace cairn::crash
