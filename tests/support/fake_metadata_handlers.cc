// What the fake metaserver's operations do.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "client/run_set.h"
#include "rpc/chunk_token.h"
#include "tests/support/fake_metadata.h"

namespace cairn::testing {

Result<v1::InodeRecord*> FakeMetadata::Find(uint64_t inode) {
  auto it = inodes_.find(inode);
  if (it == inodes_.end()) return Fail(ErrorCode::kStaleHandle, "inode {}", inode);
  return &it->second;
}

v1::InodeRecord& FakeMetadata::Make(uint64_t parent, const std::string& name, uint32_t mode) {
  uint64_t inode = next_inode_++;
  names_[{parent, name}] = inode;
  v1::InodeRecord& record = inodes_[inode];
  record.mutable_attributes()->set_inode(inode);
  record.mutable_attributes()->set_mode(mode);
  record.mutable_attributes()->set_links(1);
  record.mutable_attributes()->set_version(1);
  if (S_ISREG(mode)) {
    v1::Layout* layout = record.mutable_file()->mutable_layout();
    layout->set_pool(1);
    layout->set_generation(1);
    layout->set_seed(inode);
    layout->set_chunk_size(chunk_size_);
    record.mutable_file()->set_generation(1);
  }
  return record;
}

void FakeMetadata::Cut(v1::FileMap& file, uint64_t size) {
  file.set_generation(file.generation() + 1);
  auto& cuts = *file.mutable_cuts();
  cuts.erase(std::remove_if(cuts.begin(), cuts.end(),
                            [&](const v1::Cut& cut) { return cut.length() >= size; }),
             cuts.end());
  v1::Cut* cut = file.add_cuts();
  cut->set_generation(file.generation());
  cut->set_length(size);
  client::RunSet runs(file.runs());
  runs.CutAt((size + chunk_size_ - 1) / chunk_size_);
  file.clear_runs();
  runs.CopyTo(file.mutable_runs());
}

void FakeMetadata::EndSession() {
  for (uint64_t extended : std::exchange(extended_, {})) {
    auto it = inodes_.find(extended);
    if (it == inodes_.end()) continue;
    Cut(*it->second.mutable_file(), it->second.attributes().size());
    it->second.mutable_attributes()->set_version(it->second.attributes().version() + 1);
  }
  session_ = 0;
  open_.clear();
}

void FakeMetadata::Resize(v1::InodeRecord& inode, uint64_t size) {
  if (size < inode.attributes().size()) Cut(*inode.mutable_file(), size);
  inode.mutable_attributes()->set_size(size);
  inode.mutable_attributes()->set_version(inode.attributes().version() + 1);
}

v1::EntryResponse FakeMetadata::Answer(const v1::InodeRecord& inode) const {
  v1::EntryResponse response;
  *response.mutable_attributes() = inode.attributes();
  if (inode.has_file()) *response.mutable_file() = inode.file();
  return response;
}

// Not sealed: the fake chunkservers believe every word.
v1::EntryResponse FakeMetadata::OpenAnswer(const v1::InodeRecord& inode, uint32_t flags) const {
  v1::EntryResponse response = Answer(inode);
  if (token_key_ == 0) return response;
  const uint32_t mode = flags & O_ACCMODE;
  v1::TokenClaims claims;
  claims.set_key(token_key_);
  claims.set_session(session_);
  claims.set_inode(inode.attributes().inode());
  claims.set_rights((mode != O_WRONLY ? kTokenRead : 0) | (mode != O_RDONLY ? kTokenWrite : 0));
  claims.set_generation(inode.file().generation());
  response.set_token(claims.SerializeAsString());
  return response;
}

Result<v1::RenewTokensResponse> FakeMetadata::RenewTokens(const v1::RenewTokensRequest& request) {
  if (request.session() != session_) return Fail(ErrorCode::kUnknownSession, "session");
  v1::RenewTokensResponse response;
  for (const std::string& old : request.tokens()) {
    v1::TokenClaims claims;
    const bool good = !old.empty() && claims.ParseFromString(old) &&
                      (old_keys_known_ || claims.key() == token_key_);
    claims.set_key(token_key_);
    const auto inode = inodes_.find(claims.inode());
    if (inode != inodes_.end()) claims.set_generation(inode->second.file().generation());
    response.add_tokens(good ? claims.SerializeAsString() : "");
  }
  return response;
}

Result<v1::OpenSessionResponse> FakeMetadata::OpenSession(const v1::OpenSessionRequest& request) {
  if (session_ == 0) {
    session_ = 100 + ++sessions_opened_;
    open_.clear();
  } else {
    open_.insert(request.open_inodes().begin(), request.open_inodes().end());
    reclaim_ = false;
  }
  v1::OpenSessionResponse response;
  response.set_session(session_);
  response.set_cluster_id("fake");
  response.set_near_full(near_full_);
  return response;
}

Result<v1::RenewSessionResponse> FakeMetadata::RenewSession(
    const v1::RenewSessionRequest& request) {
  if (request.session() != session_) return Fail(ErrorCode::kUnknownSession, "session");
  v1::RenewSessionResponse response;
  response.set_reclaim(reclaim_);
  response.set_near_full(near_full_);
  return response;
}

Result<v1::CloseSessionResponse> FakeMetadata::CloseSession(const v1::CloseSessionRequest&) {
  EndSession();
  return v1::CloseSessionResponse();
}

Result<v1::EntryResponse> FakeMetadata::Lookup(const v1::LookupRequest& request) {
  auto it = names_.find({request.parent(), request.name()});
  if (it == names_.end()) return Fail(ErrorCode::kNotFound, "{}", request.name());
  return Answer(inodes_[it->second]);
}

Result<v1::EntryResponse> FakeMetadata::GetAttributes(const v1::GetAttributesRequest& request) {
  ASSIGN_OR_RETURN(v1::InodeRecord * inode, Find(request.inode()));
  return Answer(*inode);
}

Result<v1::EntryResponse> FakeMetadata::SetAttributes(const v1::SetAttributesRequest& request) {
  ASSIGN_OR_RETURN(v1::InodeRecord * inode, Find(request.inode()));
  v1::Attributes& attributes = *inode->mutable_attributes();
  if (request.has_size()) {
    Resize(*inode, request.size());
  } else {
    attributes.set_version(attributes.version() + 1);
  }
  if (request.has_mode()) attributes.set_mode((attributes.mode() & S_IFMT) | request.mode());
  if (request.has_modify_time()) *attributes.mutable_modify_time() = request.modify_time();
  const bool cut_by_holder = request.has_size() && open_.contains(request.inode());
  return cut_by_holder ? OpenAnswer(*inode, O_WRONLY) : Answer(*inode);
}

Result<v1::EntryResponse> FakeMetadata::Create(const v1::CreateRequest& request) {
  auto it = names_.find({request.parent(), request.name()});
  bool exists = it != names_.end();
  if (exists && (request.flags() & O_EXCL) != 0) return Fail(ErrorCode::kExists, "exists");
  v1::InodeRecord& inode = exists
                               ? inodes_[it->second]
                               : Make(request.parent(), request.name(), S_IFREG | request.mode());
  open_.insert(inode.attributes().inode());
  bool writes = (request.flags() & O_ACCMODE) != O_RDONLY;
  if (!exists && writes) extended_.insert(inode.attributes().inode());
  v1::EntryResponse response = OpenAnswer(inode, request.flags());
  response.set_created(!exists);
  return response;
}

Result<v1::EntryResponse> FakeMetadata::MakeDirectory(const v1::MakeDirectoryRequest& request) {
  if (names_.contains({request.parent(), request.name()})) {
    return Fail(ErrorCode::kExists, "{}", request.name());
  }
  return Answer(Make(request.parent(), request.name(), S_IFDIR | request.mode()));
}

Result<v1::RemovedResponse> FakeMetadata::Unlink(const v1::UnlinkRequest& request) {
  auto it = names_.find({request.parent(), request.name()});
  if (it == names_.end()) return Fail(ErrorCode::kNotFound, "{}", request.name());
  v1::RemovedResponse response;
  response.set_inode(it->second);
  response.set_still_open(open_.contains(it->second));
  if (!response.still_open()) inodes_.erase(it->second);
  names_.erase(it);
  return response;
}

Result<v1::RemovedResponse> FakeMetadata::Rename(const v1::RenameRequest& request) {
  auto it = names_.find({request.parent(), request.name()});
  if (it == names_.end()) return Fail(ErrorCode::kNotFound, "{}", request.name());
  uint64_t inode = it->second;
  names_.erase(it);
  names_[{request.new_parent(), request.new_name()}] = inode;
  return v1::RemovedResponse();
}

Result<v1::EntryResponse> FakeMetadata::Open(const v1::OpenRequest& request) {
  ASSIGN_OR_RETURN(v1::InodeRecord * inode, Find(request.inode()));
  if ((request.flags() & O_TRUNC) != 0) Resize(*inode, 0);
  open_.insert(request.inode());
  return OpenAnswer(*inode, request.flags());
}

Result<v1::CloseResponse> FakeMetadata::Close(const v1::CloseRequest& request) {
  for (uint64_t inode : request.inodes()) open_.erase(inode);
  for (uint64_t inode : request.extended()) extended_.erase(inode);
  return v1::CloseResponse();
}

Result<v1::EntryResponse> FakeMetadata::CommitWrite(const v1::CommitWriteRequest& request) {
  ASSIGN_OR_RETURN(v1::InodeRecord * inode, Find(request.inode()));
  uint64_t end = request.end();
  client::RunSet runs(request.runs());
  for (const v1::Cut& cut : inode->file().cuts()) {
    if (cut.generation() <= request.generation()) continue;
    end = std::min(end, cut.length());
    runs.CutAt((cut.length() + chunk_size_ - 1) / chunk_size_);
  }
  runs.AddAll(client::RunSet(inode->file().runs()));
  inode->mutable_file()->clear_runs();
  runs.CopyTo(inode->mutable_file()->mutable_runs());
  v1::Attributes& attributes = *inode->mutable_attributes();
  attributes.set_size(std::max(attributes.size(), end));
  attributes.set_version(attributes.version() + 1);
  if (request.clear_set_id()) {
    attributes.set_mode(attributes.mode() & ~static_cast<uint32_t>(S_ISUID | S_ISGID));
  }
  if (request.has_modify_time()) *attributes.mutable_modify_time() = request.modify_time();
  if (request.last()) extended_.erase(request.inode());
  return Answer(*inode);
}

Result<v1::EntryResponse> FakeMetadata::Extend(const v1::ExtendRequest& request) {
  ASSIGN_OR_RETURN(v1::InodeRecord * inode, Find(request.inode()));
  extended_.insert(request.inode());
  return Answer(*inode);
}

Result<v1::ReadDirectoryResponse> FakeMetadata::ReadDirectory(
    const v1::ReadDirectoryRequest& request) {
  v1::ReadDirectoryResponse response;
  for (const auto& [place, inode] : names_) {
    if (place.first != request.inode() || inode <= request.cookie()) continue;
    v1::DirectoryEntry* entry = response.add_entries();
    entry->set_name(place.second);
    entry->set_inode(inode);
    entry->set_cookie(inode);
    entry->set_mode(inodes_[inode].attributes().mode());
    if (request.attributes()) *entry->mutable_entry() = Answer(inodes_[inode]);
  }
  return response;
}

Result<v1::StatFsResponse> FakeMetadata::StatFs(const v1::StatFsRequest&) {
  v1::StatFsResponse response;
  response.set_total_bytes(1u << 30);
  response.set_inodes(inodes_.size());
  return response;
}

Result<v1::ClusterMap> FakeMetadata::FetchMap(const v1::FetchMapRequest& request) {
  v1::ClusterMap map = map_;
  auto& groups = *map.mutable_groups();
  groups.erase(std::remove_if(groups.begin(), groups.end(),
                              [&](const v1::PlacementGroup& group) {
                                return group.changed_at() <= request.since();
                              }),
               groups.end());
  return map;
}

}  // namespace cairn::testing
