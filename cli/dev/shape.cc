#include "cli/dev/shape.h"

#include <set>

#include "common/config.h"
#include "common/hash.h"

namespace cairn {

namespace {
constexpr size_t kClusterIdBytes = 16;

std::string Ports(const Shape& shape) {
  std::string text;
  for (size_t i = 0; i < shape.meta_ports.size(); ++i) {
    text += fmt::format("\n[meta{}]\nframes = {}\ngrpc = {}\n", i + 1, shape.meta_ports[i].frames,
                        shape.meta_ports[i].grpc);
  }
  for (size_t i = 0; i < shape.chunk_ports.size(); ++i) {
    text += fmt::format("\n[chunk{}]\nframes = {}\n", i + 1, shape.chunk_ports[i]);
  }
  return text;
}

uint16_t ReadPort(ConfigReader& reader, const std::string& key) {
  return static_cast<uint16_t>(reader.Integer(key, 0, 1, 65535));
}

Status CheckRange(const char* flag, int value, int least, int most) {
  if (value >= least && value <= most) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument, "{} {}: from {} to {}", flag, value, least,
                       most);
}

Status CheckSame(const char* flag, int kept, const std::optional<int>& asked) {
  if (!asked || *asked == kept) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument,
                       "{} {} was asked for, but this cluster was made with {} {}; "
                       "'cairn dev down --wipe' removes it",
                       flag, *asked, flag, kept);
}

Status CheckShape(const Shape& shape) {
  if (shape.meta != 1 && shape.meta != 3 && shape.meta != 5) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "--meta {}: a group begins with 1, 3 or 5 metaservers", shape.meta);
  }
  RETURN_IF_ERROR(CheckRange("--chunk", shape.chunk, 1, kMaxDevServers));
  RETURN_IF_ERROR(CheckRange("--disks", shape.disks, 1, kMaxDevDisks));
  RETURN_IF_ERROR(CheckRange("--copies", shape.copies, 1, shape.chunk * shape.disks));
  return CheckRange("--min-active", shape.min_active, 0, shape.copies);
}
}  // namespace

Result<Shape> NewShape(const ShapeFlags& flags) {
  Shape shape;
  shape.meta = flags.meta.value_or(3);
  shape.founders = shape.meta;
  shape.chunk = flags.chunk.value_or(3);
  shape.disks = flags.disks.value_or(1);
  shape.copies = flags.copies.value_or(3);
  shape.min_active = flags.min_active.value_or(0);
  RETURN_IF_ERROR(CheckShape(shape));
  shape.cluster_id = RandomHex(kClusterIdBytes);
  const auto meta = static_cast<size_t>(shape.meta);
  const auto chunk = static_cast<size_t>(shape.chunk);
  ASSIGN_OR_RETURN(const std::vector<uint16_t> ports, ChooseFreePorts(2 * meta + chunk));
  for (size_t i = 0; i < meta; ++i) shape.meta_ports.push_back({ports[2 * i], ports[2 * i + 1]});
  shape.chunk_ports.assign(ports.begin() + static_cast<std::ptrdiff_t>(2 * meta), ports.end());
  return shape;
}

Status AddMetaserver(Shape& shape) {
  if (shape.meta >= kMaxDevMetaservers) {
    return Status::Error(ErrorCode::kInvalidArgument, "a dev cluster has at most {} metaservers",
                         kMaxDevMetaservers);
  }
  std::set<uint16_t> taken(shape.chunk_ports.begin(), shape.chunk_ports.end());
  for (const MetaserverPorts& ports : shape.meta_ports) taken.insert({ports.frames, ports.grpc});
  // A server that is down does not hold its ports.
  ASSIGN_OR_RETURN(std::vector<uint16_t> ports, ChooseFreePorts(taken.size() + 2));
  std::erase_if(ports, [&](uint16_t port) { return taken.contains(port); });
  shape.meta_ports.push_back({ports[0], ports[1]});
  ++shape.meta;
  return OkStatus();
}

Status CheckSameShape(const Shape& shape, const ShapeFlags& flags) {
  RETURN_IF_ERROR(CheckSame("--meta", shape.founders, flags.meta));
  RETURN_IF_ERROR(CheckSame("--chunk", shape.chunk, flags.chunk));
  RETURN_IF_ERROR(CheckSame("--disks", shape.disks, flags.disks));
  RETURN_IF_ERROR(CheckSame("--copies", shape.copies, flags.copies));
  return CheckSame("--min-active", shape.min_active, flags.min_active);
}

std::string QuoteToml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string FormatShape(const Shape& shape) {
  std::string mounts;
  for (const std::string& mount : shape.mounts) {
    mounts += (mounts.empty() ? "" : ", ") + QuoteToml(mount);
  }
  return fmt::format(
             "# Written by 'cairn dev up'.\ncluster_id = {}\nmeta = {}\nfounders = {}\nchunk = {}\n"
             "disks = {}\ncopies = {}\nmin_active = {}\nfounded = {}\nmounts = [{}]\n",
             QuoteToml(shape.cluster_id), shape.meta, shape.founders, shape.chunk, shape.disks,
             shape.copies, shape.min_active, shape.founded, mounts) +
         Ports(shape);
}

Result<Shape> ParseShape(const std::string& name, std::string_view text) {
  ConfigReader reader(name, text);
  Shape shape;
  shape.cluster_id = reader.RequiredString("cluster_id");
  shape.meta = static_cast<int>(reader.Integer("meta", 1, 1, kMaxDevMetaservers));
  shape.founders = static_cast<int>(reader.Integer("founders", shape.meta, 1, shape.meta));
  shape.chunk = static_cast<int>(reader.Integer("chunk", 3, 1, kMaxDevServers));
  shape.disks = static_cast<int>(reader.Integer("disks", 1, 1, kMaxDevDisks));
  const int most_copies = shape.chunk * shape.disks;
  shape.copies = static_cast<int>(reader.Integer("copies", 3, 1, most_copies));
  shape.min_active = static_cast<int>(reader.Integer("min_active", 0, 0, most_copies));
  shape.founded = reader.Boolean("founded", false);
  shape.mounts = reader.Strings("mounts");
  bool complete = true;
  for (int i = 1; i <= shape.meta; ++i) {
    const std::string table = fmt::format("meta{}.", i);
    const MetaserverPorts ports{ReadPort(reader, table + "frames"),
                                ReadPort(reader, table + "grpc")};
    complete = complete && ports.frames != 0 && ports.grpc != 0;
    shape.meta_ports.push_back(ports);
  }
  for (int i = 1; i <= shape.chunk; ++i) {
    shape.chunk_ports.push_back(ReadPort(reader, fmt::format("chunk{}.frames", i)));
    complete = complete && shape.chunk_ports.back() != 0;
  }
  RETURN_IF_ERROR(reader.Finish());
  if (!complete) return Fail(ErrorCode::kInvalidArgument, "{}: a server has no port", name);
  return shape;
}

}  // namespace cairn
