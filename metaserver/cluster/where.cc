#include "metaserver/cluster/where.h"

#include <sys/stat.h>

#include <algorithm>

#include "metaserver/operations/pools.h"
#include "metaserver/placement/locate.h"
#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {
namespace {

constexpr size_t kMaxPathBytes = 4096;

Result<InodeId> FindChild(const ReadView& view, InodeId parent, std::string_view name,
                          std::string_view path) {
  ASSIGN_OR_RETURN(const auto directory,
                   LoadRow<v1::InodeRecord>(view, schema::InodeKey(parent)));
  if (!directory) return Fail(ErrorCode::kNotFound, "no file {}", path);
  if (!S_ISDIR(directory->attributes().mode())) {
    return Fail(ErrorCode::kNotDirectory, "{} leads through a file", path);
  }
  ASSIGN_OR_RETURN(const auto entry,
                   LoadRow<v1::DentryRecord>(view, schema::DentryKey(parent, name)));
  if (!entry) return Fail(ErrorCode::kNotFound, "no file {}", path);
  return InodeId(entry->inode());
}

Result<InodeId> Resolve(const ReadView& view, std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > kMaxPathBytes) {
    return Fail(ErrorCode::kInvalidArgument, "'{}' is not an absolute path",
                path.substr(0, kMaxPathBytes));
  }
  InodeId inode = kRootInode;
  for (std::string_view rest = path; !rest.empty();) {
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view name = rest.substr(0, end);
    if (name == "..") return Fail(ErrorCode::kInvalidArgument, "'..' in {}", path);
    if (!name.empty() && name != ".") {
      ASSIGN_OR_RETURN(inode, FindChild(view, inode, name, path));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return inode;
}

bool IsWritten(const v1::FileMap& file, uint64_t index) {
  return std::any_of(file.runs().begin(), file.runs().end(), [&](const v1::ChunkRun& run) {
    return index >= run.first() && index < uint64_t{run.first()} + run.count();
  });
}

void AddChunks(const v1::InodeRecord& record, const MapSnapshot& map,
               v1::WhereResponse& response) {
  const v1::FileMap& file = record.file();
  const v1::Pool* pool = map.FindPool(PoolId(file.layout().pool()));
  const uint64_t chunk_size = file.layout().chunk_size();
  if (pool == nullptr || chunk_size == 0) return;
  const GroupRange groups = GroupsOf(*pool, file.layout().generation());
  if (groups.count == 0) return;
  const uint64_t size = record.attributes().size();
  const uint64_t count = size / chunk_size + (size % chunk_size != 0 ? 1 : 0);
  for (uint64_t index = 0; index < count && index < kMaxChunksListed; ++index) {
    const PgId id = LocateChunk(groups, file.layout().seed(), index);
    const v1::PlacementGroup* group = map.FindGroup(id);
    if (group == nullptr) continue;
    v1::ChunkPlace& place = *response.add_chunks();
    place.set_index(static_cast<uint32_t>(index));
    place.set_group(group->id());
    place.set_epoch(group->epoch());
    place.set_written(IsWritten(file, index));
    *place.mutable_members() = group->members();
  }
}

// What a file has, or what a new file of a directory gets.
void AddLayout(const v1::InodeRecord& record, const MapSnapshot& map, v1::WhereResponse& response) {
  v1::Layout& layout = *response.mutable_layout();
  if (record.has_file()) {
    layout = record.file().layout();
    const v1::Pool* pool = map.FindPool(PoolId(layout.pool()));
    return response.set_copies(pool == nullptr ? 0 : pool->copies());
  }
  const v1::LayoutPolicy& policy = record.layout_policy();
  if (record.has_layout_policy()) *response.mutable_policy() = policy;
  const v1::Pool* pool = map.FindPool(PoolOf(policy));
  if (pool == nullptr) return;
  layout.set_pool(pool->id());
  layout.set_generation(pool->generation());
  layout.set_chunk_size(ChunkSizeOf(policy, *pool));
  response.set_copies(pool->copies());
}

}  // namespace

Result<InodeId> FindInode(const ReadView& view, InodeId inode, std::string_view path) {
  return inode.value != 0 ? inode : Resolve(view, path);
}

Result<v1::WhereResponse> FindWhere(const v1::WhereRequest& request, const ReadView& view,
                                    const MapSnapshot& map) {
  ASSIGN_OR_RETURN(const InodeId inode,
                   FindInode(view, InodeId(request.inode()), request.path()));
  ASSIGN_OR_RETURN(const auto record, LoadRow<v1::InodeRecord>(view, schema::InodeKey(inode)));
  if (!record) return Fail(ErrorCode::kNotFound, "no inode {}", inode);
  v1::WhereResponse response;
  *response.mutable_attributes() = record->attributes();
  if (S_ISREG(record->attributes().mode()) || S_ISDIR(record->attributes().mode())) {
    AddLayout(*record, map, response);
  }
  if (!S_ISREG(record->attributes().mode())) return response;
  AddChunks(*record, map, response);
  for (const auto& [id, server] : map.servers) {
    *response.add_servers() = MapSnapshot::AddressOf(server);
  }
  return response;
}

}  // namespace cairn
