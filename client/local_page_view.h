// The reading side of a chunkserver's page (rpc/local_page_layout.h).
#pragma once

#include <memory>
#include <optional>

#include "common/clock.h"
#include "common/descriptor.h"
#include "common/status.h"
#include "rpc/local_page_layout.h"

namespace cairn::client {

// Thread-safe. Stays readable after the server has ended; then it says nothing about that.
class LocalPageView {
 public:
  // kCorruption: it is not a page of a version that is known here.
  static Result<std::unique_ptr<LocalPageView>> Map(const Descriptor& file);
  ~LocalPageView();
  LocalPageView(const LocalPageView&) = delete;
  LocalPageView& operator=(const LocalPageView&) = delete;

  // How often changes of the chunk have begun.
  uint64_t ChunkChange(ChunkId id) const;
  // The same; nothing while one is under way.
  std::optional<uint64_t> QuietChange(ChunkId id) const;
  uint64_t GroupChange(PgId group) const;
  bool LeaseHolds(BootTime now) const;

 private:
  explicit LocalPageView(const LocalPageLayout* page) : page_(page) {}
  const LocalPageLayout* const page_;
};

}  // namespace cairn::client
