#include "metaserver/store/state_home.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view kFirstName = "state";
constexpr std::string_view kNumbered = "state-";
constexpr std::string_view kCurrent = "state-current";

class MemoryHome final : public StateHome {
 public:
  Result<std::unique_ptr<KvStore>> Open() override { return MakeMemoryStore(); }
  Result<std::unique_ptr<KvStore>> BeginAnother() override { return MakeMemoryStore(); }
  Status Switch() override { return OkStatus(); }
};

// 0 is "state", the first store; 7 is "state-7".
std::optional<uint64_t> NumberOf(std::string_view name) {
  if (name == kFirstName) return 0;
  if (!name.starts_with(kNumbered)) return std::nullopt;
  const std::string_view digits = name.substr(kNumbered.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

class LevelDbHome final : public StateHome {
 public:
  LevelDbHome(std::string directory, FileSystem& files, bool unclean_boot)
      : directory_(std::move(directory)), files_(files), unclean_boot_(unclean_boot) {}

  Result<std::unique_ptr<KvStore>> Open() override {
    RETURN_IF_ERROR(LoadCurrent());
    ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory_));
    for (const std::string& name : names) {
      const std::optional<uint64_t> number = NumberOf(name);
      if (number && *number != current_) RETURN_IF_ERROR(Remove(*number));
    }
    return OpenLevelDbStore(PathOf(current_), unclean_boot_);
  }

  Result<std::unique_ptr<KvStore>> BeginAnother() override {
    // A number that is free: stores that were discarded may still be open.
    another_ = std::max(another_, current_) + 1;
    RETURN_IF_ERROR(Remove(another_));
    return OpenLevelDbStore(PathOf(another_), false);
  }

  Status Switch() override {
    CAIRN_CHECK(another_ > current_);
    RETURN_IF_ERROR(files_.SyncDirectory(directory_));
    RETURN_IF_ERROR(ReplaceFile(files_, directory_ + "/" + std::string(kCurrent),
                                std::to_string(another_) + "\n"));
    current_ = another_;
    return OkStatus();
  }

 private:
  Status LoadCurrent() {
    const Result<std::string> text = LoadFile(files_, directory_ + "/" + std::string(kCurrent));
    if (!text && text.error().code() == ErrorCode::kNotFound) return OkStatus();
    RETURN_IF_ERROR(text);
    const std::optional<uint64_t> number =
        text->ends_with('\n') ? NumberOf(std::string(kNumbered) + text->substr(0, text->size() - 1))
                              : std::nullopt;
    if (!number) {
      return Status::Error(ErrorCode::kCorruption, "{}/{} does not name a store", directory_,
                           kCurrent);
    }
    current_ = *number;
    return OkStatus();
  }

  Status Remove(uint64_t number) {
    std::error_code error;
    std::filesystem::remove_all(PathOf(number), error);
    if (!error) return OkStatus();
    return Status::Error(ErrorCode::kIoError, "remove {}: {}", PathOf(number), error.message());
  }

  std::string PathOf(uint64_t number) const {
    if (number == 0) return directory_ + "/" + std::string(kFirstName);
    return directory_ + "/" + std::string(kNumbered) + std::to_string(number);
  }

  const std::string directory_;
  FileSystem& files_;
  const bool unclean_boot_;
  uint64_t current_ = 0;
  uint64_t another_ = 0;
};

}  // namespace

std::unique_ptr<StateHome> MakeMemoryHome() {
  return std::make_unique<MemoryHome>();
}

std::unique_ptr<StateHome> MakeLevelDbHome(std::string directory, FileSystem& files,
                                           bool unclean_boot) {
  return std::make_unique<LevelDbHome>(std::move(directory), files, unclean_boot);
}

}  // namespace cairn
