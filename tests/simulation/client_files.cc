#include "tests/simulation/client_files.h"

#include <fcntl.h>

#include <utility>

namespace cairn::simulation {

namespace {

constexpr size_t kFiles = 6;
constexpr size_t kDirectories = 2;
constexpr size_t kSharedNames = 4;

template <typename Request>
Request* In(Request* request, uint64_t parent, const std::string& name) {
  request->set_parent(parent);
  request->set_name(name);
  return request;
}

ErrorCode CodeOf(const Reply& reply) {
  return static_cast<ErrorCode>(reply.outcome.code());
}

std::string Differs(const std::string& what, ErrorCode got, ErrorCode expected) {
  if (got == expected) return "";
  return fmt::format("{}: {}, not {}", what, ErrorCodeName(got), ErrorCodeName(expected));
}

}  // namespace

ClientFiles::ClientFiles(uint64_t client) : client_(client) {
  for (size_t i = 0; i < kFiles; ++i) names_.push_back({.name = fmt::format("f{}", i)});
  for (size_t i = 0; i < kDirectories; ++i) {
    names_.push_back({.name = fmt::format("d{}", i), .is_directory = true});
  }
}

std::string ClientFiles::DirectoryName() const {
  return fmt::format("client{}", client_);
}

void ClientFiles::UseDirectories(uint64_t own, uint64_t shared) {
  own_ = own;
  shared_ = shared;
}

std::optional<size_t> ClientFiles::FreeName(Random& random, bool files_only) {
  const size_t at = random.Below(files_only ? kFiles : names_.size());
  if (names_[at].busy) return std::nullopt;
  return at;
}

std::optional<Work> ClientFiles::Next(Random& random) {
  if (random.Chance(250)) return InShared(random);
  const std::optional<size_t> at = FreeName(random, false);
  if (!at) return std::nullopt;
  Work work = Draw(random, *at);
  for (size_t name : work.names) names_[name].busy = true;
  return work;
}

Work ClientFiles::Draw(Random& random, size_t at) {
  if (!names_[at].known || random.Chance(400)) return Look(random, at);
  if (!names_[at].is_directory && random.Chance(200)) {
    const std::optional<size_t> to = FreeName(random, true);
    if (to && *to != at && names_[*to].known) return Rename(at, *to);
  }
  if (names_[at].inode != 0 && !names_[at].is_directory && random.Chance(500)) {
    return Grow(random, at);
  }
  // Now and then what must fail.
  return (names_[at].inode == 0) != random.Chance(100) ? Make(at) : Remove(at);
}

Work ClientFiles::Make(size_t at) {
  const Name& name = names_[at];
  v1::Command command;
  if (name.is_directory) {
    In(command.mutable_make_directory(), own_, name.name)->set_mode(0755);
  } else {
    In(command.mutable_create(), own_, name.name)->set_flags(O_EXCL | O_RDWR);
    command.mutable_create()->set_mode(0644);
  }
  const auto finish = [this, at](const Reply& reply) {
    Name& made = names_[at];
    const bool there = made.inode != 0;
    const std::string wrong =
        Differs("make " + made.name, CodeOf(reply), there ? ErrorCode::kExists : ErrorCode::kOk);
    if (wrong.empty() && !there) {
      made.inode = reply.outcome.inode();
      made.size = 0;
    }
    return wrong;
  };
  return {std::move(command), {at}, finish};
}

Work ClientFiles::Remove(size_t at) {
  const Name& name = names_[at];
  v1::Command command;
  if (name.is_directory) {
    In(command.mutable_remove_directory(), own_, name.name);
  } else {
    In(command.mutable_unlink(), own_, name.name);
  }
  const auto finish = [this, at](const Reply& reply) {
    Name& removed = names_[at];
    const bool there = removed.inode != 0;
    removed.inode = 0;
    return Differs("remove " + removed.name, CodeOf(reply),
                   there ? ErrorCode::kOk : ErrorCode::kNotFound);
  };
  return {std::move(command), {at}, finish};
}

Work ClientFiles::Rename(size_t from, size_t to) {
  v1::Command command;
  v1::RenameRequest* request = In(command.mutable_rename(), own_, names_[from].name);
  request->set_new_parent(own_);
  request->set_new_name(names_[to].name);
  const auto finish = [this, from, to](const Reply& reply) {
    Name& source = names_[from];
    const bool there = source.inode != 0;
    if (there) {
      names_[to].inode = std::exchange(source.inode, 0);
      names_[to].size = source.size;
    }
    return Differs(fmt::format("rename {} to {}", source.name, names_[to].name), CodeOf(reply),
                   there ? ErrorCode::kOk : ErrorCode::kNotFound);
  };
  return {std::move(command), {from, to}, finish};
}

// As mounts do: the bytes past the size are announced, and the last commit says that it is one.
Work ClientFiles::Grow(Random& random, size_t at) {
  const uint64_t size = names_[at].size + random.Below(100000) + 1;
  v1::Command command;
  if (size % 4 == 0) {
    command.mutable_extend()->set_inode(names_[at].inode);
    command.mutable_extend()->mutable_chunks()->set_count(1);
    const auto finish = [this, at](const Reply& reply) {
      return Differs("extend " + names_[at].name, CodeOf(reply), ErrorCode::kOk);
    };
    return {std::move(command), {at}, finish};
  }
  command.mutable_commit_write()->set_inode(names_[at].inode);
  command.mutable_commit_write()->set_end(size);
  command.mutable_commit_write()->set_last(size % 4 == 1);
  const auto finish = [this, at, size](const Reply& reply) {
    names_[at].size = size;
    return Differs("grow " + names_[at].name, CodeOf(reply), ErrorCode::kOk);
  };
  return {std::move(command), {at}, finish};
}

Work ClientFiles::Look(Random& random, size_t at) {
  LookupRequest request;
  request.parent = own_;
  request.name = names_[at].name;
  request.by_lease = random.Chance(700);
  const auto finish = [this, at](const Reply& reply) { return CheckRead(at, reply); };
  return {std::move(request), {at}, finish};
}

std::string ClientFiles::CheckRead(size_t at, const Reply& reply) {
  Name& name = names_[at];
  const Found& found = reply.found;
  const uint64_t inode = found.code == ErrorCode::kOk ? found.inode : 0;
  if (!std::exchange(name.known, true)) {
    name.inode = inode;
    name.size = found.size;
    return "";
  }
  if (inode == name.inode && (inode == 0 || name.is_directory || found.size == name.size)) {
    return "";
  }
  return fmt::format("{} is inode {} of {} bytes, a read finds inode {} of {} bytes", name.name,
                     name.inode, name.size, inode, found.size);
}

Work ClientFiles::InShared(Random& random) {
  const auto any_name = [&random] { return fmt::format("s{}", random.Below(kSharedNames)); };
  v1::Command command;
  switch (random.Below(4)) {
    case 0:
      In(command.mutable_unlink(), shared_, any_name());
      break;
    case 1:
      In(command.mutable_rename(), shared_, any_name())->set_new_parent(shared_);
      command.mutable_rename()->set_new_name(any_name());
      break;
    default:
      In(command.mutable_create(), shared_, any_name())->set_flags(O_EXCL | O_RDWR);
  }
  return {std::move(command), {}, [](const Reply&) { return std::string(); }};
}

void ClientFiles::Finish(const Work& work) {
  for (size_t name : work.names) names_[name].busy = false;
}

void ClientFiles::GiveUp(const Work& work) {
  Finish(work);
  if (work.is_read()) return;
  for (size_t name : work.names) names_[name].known = false;
}

}  // namespace cairn::simulation
