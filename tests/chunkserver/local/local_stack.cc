#include "tests/chunkserver/local/local_stack.h"

#include <filesystem>

namespace cairn {

LocalStack::LocalStack() {
  page_ = *LocalPage::Make(directory_ / "page");
  OpenStore();
  cluster_.Replace(kA, *store_, *page_);
  gate_ = std::make_unique<OpenGate>(cluster_.replica(kA).context().fences);
  grants_ = std::make_unique<LocalGrants>(cluster_.replica(kA).context(), *gate_, *page_);
  OpenDoor();
  reads_ = std::make_unique<client::LocalReads>(true, cluster_.clock());
}

void LocalStack::OpenStore() {
  ChunkStoreOptions options;
  options.directory = directory_ / "disk";
  options.files = &PosixFiles();
  options.clock = &cluster_.clock();
  options.changes = page_.get();
  auto store = ChunkStore::Open(options);
  CAIRN_CHECK(store.has_value());
  store_ = *std::move(store);
}

void LocalStack::OpenDoor() {
  auto door = LocalDoor::Open(LocalSocketPath(socket()), [this](ServerId server) {
    return server == kA ? grants_.get() : nullptr;
  });
  CAIRN_CHECK(door.has_value());
  door_ = *std::move(door);
}

void LocalStack::Serve() {
  cluster_.SetGroup({{kA}, {kB}});
  cluster_.WaitReady(kA);
}

ErrorCode LocalStack::Write(uint32_t offset, const std::string& bytes, ChunkId id) {
  return cluster_.Write(kA, id, offset, bytes, ++sequence_)->code();
}

std::string LocalStack::ReadByFrames(uint32_t offset, uint32_t length, ChunkId id) {
  const Result<RawReply> reply = cluster_.Read(kA, id, offset, length)->Get();
  return reply.has_value() ? std::string(reply->payload.view()) : reply.error().ToString();
}

v1::ChunkAddress LocalStack::At(uint64_t generation, ChunkId id) const {
  v1::ChunkAddress address = cluster_.Address(id);
  address.set_generation(generation);
  for (uint64_t cut = 2; cut <= generation; ++cut) address.add_cuts()->set_generation(cut);
  return address;
}

client::Route LocalStack::RouteNow() const {
  Address address;
  address.unix_path = socket();
  return {kGroup, Epoch(cluster_.epoch()), kA, address};
}

std::string LocalStack::ReadHere(uint32_t offset, uint32_t length, const v1::ChunkAddress& chunk) {
  const std::optional<Payload> bytes = reads_->Read(RouteNow(), chunk, offset, length);
  return bytes.has_value() ? std::string(bytes->view()) : "-";
}

std::string LocalStack::ReadHereTwice(uint32_t offset, uint32_t length) {
  (void)ReadHere(offset, length);
  return ReadHere(offset, length);
}

std::string LocalStack::FileOfChunk() const {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory_ / "disk" + "/chunks")) {
    if (entry.is_regular_file()) return entry.path().string();
  }
  return "";
}

}  // namespace cairn
