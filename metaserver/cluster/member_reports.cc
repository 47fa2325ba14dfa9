#include "metaserver/cluster/member_reports.h"

namespace cairn {

MemberReports::Verdict MemberReports::Note(const Reporter& reporter, ServerId accused,
                                           BootTime now) {
  auto [found, is_new] = standing_.try_emplace({accused, reporter.server}, Times{now, now, {}});
  Times& times = found->second;
  times.chunkserver = reporter.chunkserver;
  if (!is_new && now - times.last > kReportSettled) times.first = now;
  times.last = now;
  for (auto it = standing_.lower_bound({accused, ServerId(0)});
       it != standing_.end() && it->first.first == accused; ++it) {
    const bool other = it->second.chunkserver != reporter.chunkserver;
    if (other && now - it->second.last <= kReportsAgree) return Verdict::kAccusedLeaves;
  }
  return now - times.first >= kReportStands ? Verdict::kReporterLeaves : Verdict::kWait;
}

void MemberReports::Forget(ServerId server) {
  for (auto it = standing_.begin(); it != standing_.end();) {
    const bool concerned = it->first.first == server || it->first.second == server;
    it = concerned ? standing_.erase(it) : std::next(it);
  }
}

}  // namespace cairn
