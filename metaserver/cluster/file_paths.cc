#include "metaserver/cluster/file_paths.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {
namespace {

constexpr std::string_view kLost = "...";

// How many bytes the UTF-8 character at the beginning of `text` has; 0: it is none.
size_t CharacterAt(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  uint32_t code = first & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    code = code << 6 | (next & 0x3fu);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kLeast[size] || code > 0x10ffff || surrogate ? 0 : size;
}

std::string Printable(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const size_t size = CharacterAt(name);
    text += size == 0 ? "?" : name.substr(0, size);
    name.remove_prefix(std::max<size_t>(size, 1));
  }
  return text;
}

class PathFinder {
 public:
  PathFinder(const ReadView& view, size_t most_entries) : view_(view), left_(most_entries) {}

  // Looks for names of `wanted` in all directories.
  void Search(std::set<InodeId> wanted);
  std::string PathOf(InodeId file);

 private:
  struct Entry {
    InodeId parent;
    std::string name;
  };
  // The entry of a directory in the one above; nothing when it was not found.
  const Entry* FindDirectory(InodeId directory);

  const ReadView& view_;
  size_t left_;
  std::map<InodeId, Entry> entries_;
};

void PathFinder::Search(std::set<InodeId> wanted) {
  // An error of the disk leaves paths out; whoever reads the rows themselves meets it, too.
  (void)ScanRows<v1::DentryRecord>(
      view_, schema::DentryPrefix(InodeId()).substr(0, 1), schema::DentryPrefix(InodeId()),
      [&](std::string_view key, const v1::DentryRecord& entry) {
        if (wanted.empty() || left_ == 0) return false;
        --left_;
        if (wanted.erase(InodeId(entry.inode())) == 0) return true;
        entries_[InodeId(entry.inode())] = {InodeId(schema::KeyNumber(key.substr(1))),
                                            Printable(entry.name())};
        return true;
      });
}

const PathFinder::Entry* PathFinder::FindDirectory(InodeId directory) {
  const auto known = entries_.find(directory);
  if (known != entries_.end()) return &known->second;
  const Result<std::optional<v1::InodeRecord>> record =
      LoadRow<v1::InodeRecord>(view_, schema::InodeKey(directory));
  if (!record.has_value() || !record->has_value()) return nullptr;
  const InodeId parent((*record)->parent());
  const std::string prefix = schema::DentryPrefix(parent);
  (void)ScanRows<v1::DentryRecord>(view_, prefix, prefix,
                                   [&](std::string_view, const v1::DentryRecord& entry) {
                                     if (left_ == 0) return false;
                                     --left_;
                                     if (entry.inode() != directory.value) return true;
                                     entries_[directory] = {parent, Printable(entry.name())};
                                     return false;
                                   });
  const auto found = entries_.find(directory);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string PathFinder::PathOf(InodeId file) {
  const auto found = entries_.find(file);
  if (found == entries_.end()) return "";
  std::string path;
  for (const Entry* entry = &found->second; entry != nullptr;
       entry = FindDirectory(entry->parent)) {
    if (path.size() + entry->name.size() + 1 + kLost.size() > kMostPathBytes) break;
    path = "/" + entry->name + path;
    if (entry->parent == kRootInode) return path;
  }
  return std::string(kLost) + path;
}

}  // namespace

void AddPaths(const ReadView& view, const std::set<InodeId>& cut_short,
              std::vector<v1::ChunkFinding>& findings, size_t most_entries) {
  std::set<InodeId> wanted;
  std::map<InodeId, v1::ChunkFinding*> last;
  for (v1::ChunkFinding& finding : findings) {
    const InodeId inode(finding.inode());
    if (finding.code() != "ORPHAN") wanted.insert(inode);
    last[inode] = &finding;
  }
  PathFinder finder(view, most_entries);
  if (!wanted.empty()) finder.Search(wanted);
  for (v1::ChunkFinding& finding : findings) {
    finding.set_path(finder.PathOf(InodeId(finding.inode())));
  }
  for (const InodeId inode : cut_short) {
    const auto found = last.find(inode);
    if (found != last.end()) found->second->set_and_more(true);
  }
}

}  // namespace cairn
