// What a dev cluster consists of, as kept in D/cluster.toml from its birth on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace cairn {

inline constexpr int kMaxDevServers = 64;
inline constexpr int kMaxDevMetaservers = 9;
inline constexpr int kMaxDevDisks = 16;  // of one chunkserver

struct MetaserverPorts {
  uint16_t frames = 0;
  uint16_t grpc = 0;
};

struct Shape {
  std::string cluster_id;
  int meta = 3;           // processes, whether they are in the group or not
  int founders = 3;       // the first so many founded the group; mounts are told of these
  int chunk = 3;
  int disks = 1;          // of each chunkserver
  int copies = 3;
  int min_active = 0;     // 0: the default for that many copies
  bool founded = false;   // a metaserver that is unborn after that has lost its directory
  std::vector<MetaserverPorts> meta_ports;   // [0] is of metaserver 1
  std::vector<uint16_t> chunk_ports;
  std::vector<std::string> mounts;           // [0] is served by client 1
};

// What `dev up` was asked for; what was not said keeps its value.
struct ShapeFlags {
  std::optional<int> meta;
  std::optional<int> chunk;
  std::optional<int> disks;
  std::optional<int> copies;
  std::optional<int> min_active;
};

// A new shape with a fresh cluster id and free ports. kInvalidArgument names the flag at fault.
Result<Shape> NewShape(const ShapeFlags& flags);
// One more metaserver, with ports that no server of the shape has. kInvalidArgument: enough.
Status AddMetaserver(Shape& shape);
// kInvalidArgument names the flag that differs from what it was made with, and both values.
Status CheckSameShape(const Shape& shape, const ShapeFlags& flags);

std::string FormatShape(const Shape& shape);
Result<Shape> ParseShape(const std::string& name, std::string_view text);

// A string in TOML's quotes.
std::string QuoteToml(std::string_view text);

// `count` TCP ports that nothing on 127.0.0.1 listens on, below the range that the kernel hands out
// to outgoing connections: they are free again at the next start.
Result<std::vector<uint16_t>> ChooseFreePorts(size_t count);

}  // namespace cairn
