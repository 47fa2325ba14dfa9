#include "metaserver/cluster/member_reports.h"

namespace cairn {

MemberReports::Verdict MemberReports::Note(ServerId reporter, ServerId accused, BootTime now) {
  auto [found, is_new] = standing_.try_emplace({accused, reporter}, Times{now, now});
  Times& times = found->second;
  if (!is_new && now - times.last > kReportSettled) times.first = now;
  times.last = now;
  for (auto it = standing_.lower_bound({accused, ServerId(0)});
       it != standing_.end() && it->first.first == accused; ++it) {
    const bool other = it->first.second != reporter;
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
