#include "chunkserver/local/local_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

namespace cairn {
namespace {

constexpr size_t kPageBytes = sizeof(LocalPageLayout);

Status Failure(const std::string& path, const char* call) {
  return Status::FromErrno(errno, fmt::format("{} {}", call, path));
}

Result<LocalPageLayout*> Map(const Descriptor& file, const std::string& path) {
  void* memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return Fail(Failure(path, "map"));
  return static_cast<LocalPageLayout*>(memory);
}

void Unmap(LocalPageLayout* page) {
  (void)munmap(page, kPageBytes);
}

// Whatever version it is of, the lease stands in the same place.
Status RevokeEarlier(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) return errno == ENOENT ? OkStatus() : Failure(path, "open");
  struct stat attributes {};
  if (fstat(file.get(), &attributes) != 0) return Failure(path, "stat");
  const bool is_page =
      S_ISREG(attributes.st_mode) && static_cast<uint64_t>(attributes.st_size) >= kPageBytes;
  if (is_page) {
    ASSIGN_OR_RETURN(LocalPageLayout * page, Map(file, path));
    page->lease_until.store(0);
    Unmap(page);
  }
  return unlink(path.c_str()) == 0 ? OkStatus() : Failure(path, "remove");
}

}  // namespace

Result<std::unique_ptr<LocalPage>> LocalPage::Make(std::string path) {
  RETURN_IF_ERROR(RevokeEarlier(path));
  const Descriptor file(
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return Fail(Failure(path, "create"));
  // Room for all of it now: a counter must not find the disk full.
  if (const int error = posix_fallocate(file.get(), 0, kPageBytes); error != 0) {
    return Fail(Status::FromErrno(error, "reserve " + path));
  }
  Descriptor shared(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!shared.is_open()) return Fail(Failure(path, "open"));
  ASSIGN_OR_RETURN(LocalPageLayout * memory, Map(file, path));
  auto* page = new (memory) LocalPageLayout{};
  page->magic = kLocalPageMagic;
  page->version = kLocalPageVersion;
  page->group_slots = kLocalGroupSlots;
  page->chunk_slots = kLocalChunkSlots;
  return std::unique_ptr<LocalPage>(new LocalPage(std::move(path), std::move(shared), page));
}

LocalPage::~LocalPage() {
  Revoked();
  (void)unlink(path_.c_str());
  Unmap(page_);
}

// All of them sequentially consistent: a reader that saw a byte of a change finds it begun.
void LocalPage::Begin(ChunkId id) {
  SlotOf(id).begun.fetch_add(1);
}

void LocalPage::End(ChunkId id) {
  SlotOf(id).ended.fetch_add(1);
}

void LocalPage::LeaseExtended(BootTime until) {
  if (revoked_.load()) return;
  page_->lease_until.store(until.since_boot.count());
  // Whoever revoked meanwhile may have been overwritten.
  if (revoked_.load()) page_->lease_until.store(0);
}

void LocalPage::Revoked() {
  revoked_.store(true);
  page_->lease_until.store(0);
}

void LocalPage::GroupChanged(PgId group) {
  page_->group_changes[LocalSlotOf(group)].fetch_add(1);
}

void LocalPage::AllGroupsChanged() {
  for (auto& changes : page_->group_changes) changes.fetch_add(1);
}

std::optional<uint64_t> LocalPage::QuietChange(ChunkId id) const {
  // In this order: what had ended by the first look had begun, so equal counts were true at the
  // second one.
  const uint64_t ended = SlotOf(id).ended.load();
  const uint64_t begun = SlotOf(id).begun.load();
  if (ended != begun) return std::nullopt;
  return begun;
}

uint64_t LocalPage::GroupChange(PgId group) const {
  return page_->group_changes[LocalSlotOf(group)].load();
}

}  // namespace cairn
