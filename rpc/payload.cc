#include "rpc/payload.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/status.h"

namespace cairn {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kSmallestKept = 32u << 10;
constexpr size_t kLargestKept = 4u << 20;
constexpr size_t kKeptBytesPerClass = 16u << 20;
constexpr int kClasses = 8;  // 32 KiB ... 4 MiB

std::byte* AllocatePages(size_t size_bytes) {
  void* memory = std::aligned_alloc(kPageBytes, (size_bytes + kPageBytes - 1) & ~(kPageBytes - 1));
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

// Freed large buffers, kept for the next payload: the kernel would hand out zeroed pages, one fault
// each, and that costs more than the copy through the socket.
class BufferShelf {
 public:
  std::byte* Take() {
    absl::MutexLock lock(&mu_);
    if (kept_.empty()) return nullptr;
    std::byte* buffer = kept_.back();
    kept_.pop_back();
    return buffer;
  }
  bool Keep(std::byte* buffer, size_t size_bytes) {
    absl::MutexLock lock(&mu_);
    if ((kept_.size() + 1) * size_bytes > kKeptBytesPerClass) return false;
    kept_.push_back(buffer);
    return true;
  }

 private:
  absl::Mutex mu_;
  std::vector<std::byte*> kept_ ABSL_GUARDED_BY(mu_);
};

// Never destroyed: payloads may be released while the process exits.
BufferShelf* Shelves() {
  static auto* shelves = new BufferShelf[kClasses];
  return shelves;
}

std::shared_ptr<std::byte> AllocateShelved(size_t size_bytes) {
  size_t rounded = std::bit_ceil(size_bytes);
  BufferShelf* shelf = &Shelves()[std::countr_zero(rounded) - std::countr_zero(kSmallestKept)];
  std::byte* buffer = shelf->Take();
  if (buffer == nullptr) buffer = AllocatePages(rounded);
  return {buffer, [shelf, rounded](std::byte* done) {
            if (!shelf->Keep(done, rounded)) std::free(done);
          }};
}

}  // namespace

Payload Payload::Allocate(size_t size_bytes) {
  Payload payload;
  if (size_bytes == 0) return payload;
  payload.size_ = size_bytes;
  if (size_bytes >= kSmallestKept && size_bytes <= kLargestKept) {
    payload.data_ = AllocateShelved(size_bytes);
  } else {
    payload.data_ = {AllocatePages(size_bytes), [](std::byte* done) { std::free(done); }};
  }
  return payload;
}

Payload Payload::CopyOf(std::span<const std::byte> data) {
  Payload payload = Allocate(data.size());
  if (!data.empty()) std::memcpy(payload.data_.get(), data.data(), data.size());
  return payload;
}

Payload Payload::CopyOf(std::string_view data) {
  return CopyOf(std::as_bytes(std::span(data.data(), data.size())));
}

Payload Payload::Slice(size_t offset, size_t size_bytes) const {
  CAIRN_CHECK(offset <= size_ && size_bytes <= size_ - offset);
  Payload slice;
  slice.size_ = size_bytes;
  if (size_bytes > 0) slice.data_ = {data_, data_.get() + offset};
  return slice;
}

}  // namespace cairn
