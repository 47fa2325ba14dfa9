// Who may do what to an inode: mode bits, groups, ownership, sticky directories. Pure.
#pragma once

#include <cstdint>

#include "cairn/v1/common.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/status.h"

namespace cairn {

inline constexpr uint32_t kMayRead = 4;
inline constexpr uint32_t kMayWrite = 2;
inline constexpr uint32_t kMayExecute = 1;  // of a directory: search it

bool IsRoot(const v1::Caller& caller);
bool InGroup(const v1::Caller& caller, uint32_t gid);
// Root counts as the owner of everything.
bool IsOwner(const v1::Attributes& attributes, const v1::Caller& caller);

// kAccessDenied unless all rights in `mask` are there. Root lacks only the right to execute a file
// that nobody may execute.
Status CheckAccess(const v1::Attributes& attributes, const v1::Caller& caller, uint32_t mask);

// Linux sets it in the flags of a file opened to be run, which needs no right to read.
inline constexpr uint32_t kOpenToExecute = 0x20;

// open(2) with Linux flags: kIsDirectory for writing a directory, kLoop for a symlink.
Status CheckOpen(const v1::InodeRecord& inode, const v1::Caller& caller, uint32_t flags);

// kPermission: `directory` is sticky, and the caller owns neither it nor the entry's inode.
Status CheckSticky(const v1::Attributes& directory, const v1::Attributes& victim,
                   const v1::Caller& caller);

// `mode` without the bits that would lend a changed file's owner or group to whoever runs it.
uint32_t WithoutSetId(uint32_t mode);

}  // namespace cairn
