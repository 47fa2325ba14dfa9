#include "cli/repair_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_join.h"
#include "cli/output.h"
#include "cli/quantities.h"

namespace cairn {

namespace {
constexpr uint64_t kBarWidth = 20;

uint64_t Percent(uint64_t done, uint64_t total) {
  if (total == 0) return 0;
  return static_cast<uint64_t>(100.0 * static_cast<double>(std::min(done, total)) /
                               static_cast<double>(total));
}

// By bytes; by groups while nobody knows how large they are.
uint64_t RepairPercent(const v1::RepairRecord& repair) {
  const uint32_t groups_done =
      repair.groups_total() - std::min(repair.groups_total(), repair.groups_left());
  const uint64_t percent = repair.total_bytes() > 0
                               ? Percent(repair.done_bytes(), repair.total_bytes())
                               : Percent(groups_done, repair.groups_total());
  return repair.groups_left() > 0 ? std::min<uint64_t>(percent, 99) : percent;
}

std::string RateText(const v1::RepairRecord& repair) {
  return FormatBytes(repair.bytes_per_second()) + "/s";
}

std::string Headline(const v1::RepairRecord& repair) {
  std::string line = "REPAIR since " + LocalTime(repair.started().seconds());
  if (repair.servers().empty()) return line + "\n";
  return line + fmt::format(" of what chunkserver{} {} kept\n",
                            repair.servers_size() > 1 ? "s" : "",
                            absl::StrJoin(repair.servers(), ", "));
}

std::string RiskText(const v1::RepairRecord& repair) {
  std::string text = "lost if one more fails: " + FormatBytes(repair.last_copy_bytes());
  if (repair.reduced_bytes() == 0) return text + "\n";
  return text + fmt::format("; short of copies: {}\n", FormatBytes(repair.reduced_bytes()));
}
}  // namespace

bool IsUnderWay(const v1::RepairRecord& repair) {
  return repair.has_started() && !repair.has_ended();
}

uint64_t RepairBytesLeft(const v1::RepairRecord& repair) {
  return repair.total_bytes() - std::min(repair.total_bytes(), repair.done_bytes());
}

std::string TimeLeft(uint64_t seconds) {
  const auto about = [seconds](uint64_t unit, const char* name) {
    return fmt::format("about {} {}", (seconds + unit - 1) / unit, name);
  };
  if (seconds == 0) return "time left not known";
  if (seconds <= 90) return about(1, "s");
  if (seconds <= 90 * 60) return about(60, "min");
  if (seconds <= 48 * 3600) return about(3600, "h");
  return about(86400, "d");
}

std::string ProgressBar(const v1::RepairRecord& repair) {
  const uint64_t percent = RepairPercent(repair);
  const uint64_t full = percent * kBarWidth / 100;
  return fmt::format("[{}{}] {} %", std::string(full, '#'), std::string(kBarWidth - full, '-'),
                     percent);
}

std::string PaceText(const v1::RepairRecord& repair) {
  return fmt::format("{} left, {}, {}", FormatBytes(RepairBytesLeft(repair)), RateText(repair),
                     TimeLeft(repair.seconds_left()));
}

std::string RepairParagraph(const v1::RepairRecord& repair) {
  return Headline(repair) +
         fmt::format("{}, {}, {} of {} groups left\n", ProgressBar(repair), PaceText(repair),
                     repair.groups_left(), repair.groups_total()) +
         RiskText(repair);
}

std::string GroupProgress(const v1::GroupRepair& group) {
  if (!group.waits().empty()) return group.waits();
  if (group.member() == 0 || group.total_bytes() == 0) return "starting";
  return fmt::format("{} %", Percent(group.done_bytes(), group.total_bytes()));
}

std::string WhyNothingMoves(const v1::GetRepairResponse& repair) {
  std::map<std::string, int> reasons;
  for (const v1::GroupRepair& group : repair.groups()) {
    if (group.waits().empty()) return "";
    ++reasons[group.waits()];
  }
  const auto most =
      std::max_element(reasons.begin(), reasons.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == reasons.end() ? "" : most->first;
}

}  // namespace cairn
