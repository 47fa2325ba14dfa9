// Raw bytes that travel behind a frame's protobuf body, shared and never copied on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace cairn {

// A slice of a reference-counted, page-aligned buffer. Copying shares the bytes. Thread-compatible;
// the bytes must not be written once another thread or a call has the payload.
class Payload {
 public:
  Payload() = default;
  // Uninitialised bytes to be filled by the caller.
  static Payload Allocate(size_t size_bytes);
  static Payload CopyOf(std::span<const std::byte> data);
  static Payload CopyOf(std::string_view data);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  std::span<std::byte> writable() { return {data_.get(), size_}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }
  // REQUIRES: offset + size_bytes <= size().
  Payload Slice(size_t offset, size_t size_bytes) const;

 private:
  std::shared_ptr<std::byte> data_;
  size_t size_ = 0;
};

}  // namespace cairn
