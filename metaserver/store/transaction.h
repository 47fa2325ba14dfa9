// The rows one batch of commands reads and writes. It is a view itself: what a command wrote, the
// next one reads. Nothing reaches the store until the batch is written as a whole.
#pragma once

#include <string>
#include <string_view>

#include "cairn/v1/records.pb.h"
#include "metaserver/store/kv_store.h"
#include "metaserver/store/overlay.h"
#include "metaserver/store/rows.h"

namespace cairn {

// Thread-compatible. Errors of the store itself are remembered (store_status): an answer computed
// without them would differ between members, so a batch that met one must not be applied.
class MetadataTransaction final : public ReadView {
 public:
  // `base` must outlive the transaction.
  static Result<MetadataTransaction> Begin(const ReadView& base);

  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status Scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;

  // The counters of the whole state; written with the batch.
  const v1::StateRecord& state() const { return state_; }
  v1::StateRecord& mutable_state() { return state_; }

  void Put(std::string key, const google::protobuf::MessageLite& row);
  void PutNumber(std::string key, uint64_t value);
  void Erase(std::string key) { rows_.Erase(std::move(key)); }

  // A new inode: its version becomes 1 and the counters include it.
  void AddInode(v1::InodeRecord& inode);
  // A changed inode: its version grows by one. Its size is that of the stored row plus what
  // ChangeSize said.
  void StoreInode(v1::InodeRecord& inode);
  // Sets the size of a regular file and keeps the sum of all sizes.
  void ChangeSize(v1::InodeRecord& inode, uint64_t size_bytes);
  // The row goes, and with it what waits to be trimmed; the counters follow.
  void RemoveInode(const v1::InodeRecord& inode);

  void AddEntry(InodeId parent, std::string_view name, InodeId child, uint32_t mode);
  void RemoveEntry(InodeId parent, std::string_view name);

  // A command begins; RollBack() takes back everything since, counters included.
  void Mark();
  void RollBack();

  // Rows to be written, the state row with the new state hash among them. The transaction is spent.
  Result<RowChanges> Finish();
  const Status& store_status() const { return store_status_; }

 private:
  MetadataTransaction(const ReadView& base, v1::StateRecord state)
      : base_(&base), rows_(base), state_(state), marked_state_(std::move(state)) {}

  const ReadView* base_;
  Overlay rows_;
  v1::StateRecord state_;
  v1::StateRecord marked_state_;
  mutable Status store_status_;
};

}  // namespace cairn
