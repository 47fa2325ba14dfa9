// Which times an operation sets (POSIX, base definitions 4.9). Pure.
#pragma once

#include "cairn/v1/common.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/status.h"

namespace cairn {

// kInvalidArgument: a billion nanoseconds or more.
Status CheckTime(const v1::Time& time);
bool IsLater(const v1::Time& time, const v1::Time& than);

// The inode changed, its contents did not: st_ctime.
void MarkChanged(v1::InodeRecord& inode, const v1::Time& time);
// The contents changed, entries of a directory included: st_mtime and st_ctime.
void MarkModified(v1::InodeRecord& inode, const v1::Time& time);
// A new inode: all four.
void MarkBorn(v1::InodeRecord& inode, const v1::Time& time);

}  // namespace cairn
