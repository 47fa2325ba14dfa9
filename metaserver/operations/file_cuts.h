// Truncation by generation (rule C9). A cut is recorded in the inode, and chunks drop what lies
// beyond it when they are next touched or when the trimmer comes by. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "cairn/v1/command.pb.h"
#include "common/status.h"
#include "metaserver/store/transaction.h"

namespace cairn {

// Finished cuts remembered for writes that come or are committed late.
inline constexpr int kMaxFinishedCuts = 8;
// Cuts whose chunks were not trimmed yet; one more is kBusy until the trimmer has caught up. A
// chunk frame takes 64, finished ones included.
inline constexpr int kMaxCuts = 64 - kMaxFinishedCuts;

// The largest size a file of this layout can have.
uint64_t MaxFileSize(const v1::Layout& layout);

// truncate(2) of a regular file by `caller`, access already checked: size, cuts, runs, trim row,
// times, set-id bits. The caller of this function stores `inode`.
// kFileTooBig, kBusy; kStaleHandle: the file is on its way out.
Status TruncateFile(const v1::Command& command, const v1::Caller& caller, uint64_t size_bytes,
                    v1::InodeRecord& inode, MetadataTransaction& txn);

// A cut at the committed size: what was written past it and is not committed goes. The caller of
// this function stores `inode`. kBusy: nothing was changed.
Status CutAtSize(v1::InodeRecord& inode, MetadataTransaction& txn);

// Up to where bytes written under `generation` still count: the smallest cut made since.
// nullopt: unknown, for such a cut has been forgotten. UINT64_MAX: there was none.
std::optional<uint64_t> SmallestCutSince(const v1::InodeRecord& inode, uint64_t generation);

// What clients and chunkservers are to know: unfinished cuts and remembered finished ones, for
// bytes written before a cut may reach a chunk that was not there when it was trimmed. Lengths
// strictly grow with the generations.
google::protobuf::RepeatedPtrField<v1::Cut> KnownCuts(const v1::InodeRecord& inode);

// Cuts up to `generation` have been carried out on every chunk.
void FinishCuts(uint64_t generation, v1::InodeRecord& inode);

// kStaleHandle: the inode has no name and nobody holds it, so its chunks may be going already.
Status CheckNotLeaving(const MetadataTransaction& txn, const v1::InodeRecord& inode);

}  // namespace cairn
