// How verbs tell how a repair stands. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "cairn/v1/admin.pb.h"

namespace cairn {

bool IsUnderWay(const v1::RepairRecord& repair);
// To be copied, as far as is known.
uint64_t RepairBytesLeft(const v1::RepairRecord& repair);

// "about 40 s", "about 3 min", "about 5 h", "about 2 d", rounded up; "time left not known" for 0.
std::string TimeLeft(uint64_t seconds);
// "[##########----------] 50 %": 20 characters; never 100 % while groups are left.
std::string ProgressBar(const v1::RepairRecord& repair);
// "1.2 GiB left, 50.0 MiB/s, about 3 min": of the whole repair.
std::string PaceText(const v1::RepairRecord& repair);
// Since when, how far, and what is at risk: two or three lines, each with its end.
std::string RepairParagraph(const v1::RepairRecord& repair);

// "50 %", "starting" or why it waits.
std::string GroupProgress(const v1::GroupRepair& group);
// Why nothing is copied: the most frequent reason. Empty: something is, or nobody knows.
std::string WhyNothingMoves(const v1::GetRepairResponse& repair);

}  // namespace cairn
