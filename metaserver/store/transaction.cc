#include "metaserver/store/transaction.h"

#include <sys/stat.h>

#include <utility>

#include "metaserver/store/state_hash.h"

namespace cairn {

Result<MetadataTransaction> MetadataTransaction::Begin(const ReadView& base) {
  ASSIGN_OR_RETURN(v1::StateRecord state, LoadState(base));
  return MetadataTransaction(base, std::move(state));
}

Result<std::optional<std::string>> MetadataTransaction::Get(std::string_view key) const {
  auto value = rows_.Get(key);
  if (!value) store_status_ = value.error();
  return value;
}

Status MetadataTransaction::Scan(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  Status status = rows_.Scan(prefix, from, visit);
  if (!status.ok()) store_status_ = status;
  return status;
}

void MetadataTransaction::Put(std::string key, const google::protobuf::MessageLite& row) {
  rows_.Put(std::move(key), row.SerializeAsString());
}

void MetadataTransaction::PutNumber(std::string key, uint64_t value) {
  rows_.Put(std::move(key), schema::NumberValue(value));
}

void MetadataTransaction::AddInode(v1::InodeRecord& inode) {
  state_.set_inode_count(state_.inode_count() + 1);
  StoreInode(inode);
}

void MetadataTransaction::StoreInode(v1::InodeRecord& inode) {
  v1::Attributes& attributes = *inode.mutable_attributes();
  attributes.set_version(attributes.version() + 1);
  Put(schema::InodeKey(InodeId(attributes.inode())), inode);
}

void MetadataTransaction::ChangeSize(v1::InodeRecord& inode, uint64_t size_bytes) {
  state_.set_file_bytes(state_.file_bytes() - inode.attributes().size() + size_bytes);
  inode.mutable_attributes()->set_size(size_bytes);
}

void MetadataTransaction::RemoveInode(const v1::InodeRecord& inode) {
  const InodeId id(inode.attributes().inode());
  state_.set_inode_count(state_.inode_count() - 1);
  if (IsRegularFile(inode)) {
    state_.set_file_bytes(state_.file_bytes() - inode.attributes().size());
    Erase(schema::TrimKey(id));
  }
  Erase(schema::InodeKey(id));
}

void MetadataTransaction::AddEntry(InodeId parent, std::string_view name, InodeId child,
                                   uint32_t mode) {
  v1::DentryRecord entry;
  entry.set_inode(child.value);
  entry.set_mode(mode & S_IFMT);
  entry.set_name(name.data(), name.size());
  Put(schema::DentryKey(parent, name), entry);
}

void MetadataTransaction::RemoveEntry(InodeId parent, std::string_view name) {
  Erase(schema::DentryKey(parent, name));
}

void MetadataTransaction::Mark() {
  rows_.Mark();
  marked_state_ = state_;
}

void MetadataTransaction::RollBack() {
  rows_.RollBack();
  state_ = marked_state_;
}

Result<RowChanges> MetadataTransaction::Finish() {
  ASSIGN_OR_RETURN(const uint64_t hash, HashAfter(state_.state_hash(), *base_, rows_.changes()));
  state_.set_state_hash(hash);
  Put(schema::StateKey(), state_);
  return rows_.TakeChanges();
}

}  // namespace cairn
