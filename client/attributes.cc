#include "client/attributes.h"

#include "common/ids.h"

namespace cairn::client {

namespace {
timespec ToTimespec(const v1::Time& time) {
  timespec out{};
  out.tv_sec = time.seconds();
  out.tv_nsec = static_cast<long>(time.nanoseconds());
  return out;
}
}  // namespace

struct stat ToStat(const v1::Attributes& attributes, uint64_t blocks) {
  struct stat out {};
  out.st_ino = attributes.inode();
  out.st_mode = attributes.mode();
  out.st_nlink = attributes.links();
  out.st_uid = attributes.uid();
  out.st_gid = attributes.gid();
  out.st_rdev = attributes.device();
  out.st_size = static_cast<off_t>(attributes.size());
  out.st_blksize = kBlockSize;
  out.st_blocks = static_cast<blkcnt_t>(blocks);
  out.st_atim = ToTimespec(attributes.access_time());
  out.st_mtim = ToTimespec(attributes.modify_time());
  out.st_ctim = ToTimespec(attributes.change_time());
  return out;
}

v1::Caller ToCaller(const Identity& who) {
  v1::Caller caller;
  caller.set_uid(who.uid);
  caller.set_gid(who.gid);
  for (uint32_t group : who.groups) caller.add_groups(group);
  return caller;
}

v1::Time ToTime(const WallTime& time) {
  v1::Time out;
  out.set_seconds(time.seconds);
  out.set_nanoseconds(time.nanoseconds);
  return out;
}

Status CheckName(std::string_view name) {
  if (name.size() > kMaxNameBytes) {
    return Status::Error(ErrorCode::kNameTooLong, "a name of {} bytes", name.size());
  }
  if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos ||
      name.find('\0') != name.npos) {
    return Status::Error(ErrorCode::kInvalidArgument, "\"{}\" cannot be a name", name);
  }
  return OkStatus();
}

}  // namespace cairn::client
