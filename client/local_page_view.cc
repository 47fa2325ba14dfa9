#include "client/local_page_view.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace cairn::client {

Result<std::unique_ptr<LocalPageView>> LocalPageView::Map(const Descriptor& file) {
  struct stat attributes {};
  // A shorter one would kill this process at its end.
  if (fstat(file.get(), &attributes) != 0 || !S_ISREG(attributes.st_mode) ||
      static_cast<uint64_t>(attributes.st_size) < sizeof(LocalPageLayout)) {
    return Fail(ErrorCode::kCorruption, "a page for local reads is too short");
  }
  void* memory = mmap(nullptr, sizeof(LocalPageLayout), PROT_READ, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return Fail(Status::FromErrno(errno, "map a page for local reads"));
  std::unique_ptr<LocalPageView> view(
      new LocalPageView(static_cast<const LocalPageLayout*>(memory)));
  const LocalPageLayout& page = *view->page_;
  if (page.magic == kLocalPageMagic && page.version == kLocalPageVersion &&
      page.group_slots == kLocalGroupSlots && page.chunk_slots == kLocalChunkSlots) {
    return view;
  }
  return Fail(ErrorCode::kCorruption, "a page for local reads of version {}", page.version);
}

LocalPageView::~LocalPageView() {
  (void)munmap(const_cast<LocalPageLayout*>(page_), sizeof(LocalPageLayout));
}

uint64_t LocalPageView::ChunkChange(ChunkId id) const {
  return page_->chunks[LocalSlotOf(id)].begun.load();
}

std::optional<uint64_t> LocalPageView::QuietChange(ChunkId id) const {
  // In this order: what had ended by the first look had begun.
  const uint64_t ended = page_->chunks[LocalSlotOf(id)].ended.load();
  const uint64_t begun = ChunkChange(id);
  if (ended != begun) return std::nullopt;
  return begun;
}

uint64_t LocalPageView::GroupChange(PgId group) const {
  return page_->group_changes[LocalSlotOf(group)].load();
}

bool LocalPageView::LeaseHolds(BootTime now) const {
  return now.since_boot.count() < page_->lease_until.load();
}

}  // namespace cairn::client
