// The language of the tests about servers and placement groups.
#pragma once

#include <initializer_list>
#include <string>

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

// Servers, groups and the pool.
class GroupsTest : public NamespaceTest {
 protected:
  v1::Outcome Join(const std::string& disk, uint64_t incarnation, uint32_t port = 1) {
    v1::Command command;
    command.mutable_join_server()->set_disk_uuid(disk);
    command.mutable_join_server()->set_incarnation(incarnation);
    command.mutable_join_server()->mutable_frames()->set_port(port);
    return fs_.Apply(fs_.Complete(command));
  }
  // A disk of the process that listens at `port`; 0: its first.
  v1::Outcome JoinAs(const std::string& disk, uint32_t chunkserver, uint32_t port,
                     uint64_t incarnation = 1) {
    v1::Command command;
    v1::JoinServerCommand& join = *command.mutable_join_server();
    join.set_disk_uuid(disk);
    join.set_incarnation(incarnation);
    join.set_chunkserver(chunkserver);
    join.mutable_frames()->set_port(port);
    return fs_.Apply(fs_.Complete(command));
  }
  uint32_t ChunkserverOf(uint32_t id) {
    return fs_.Find<v1::ServerRecord>(schema::ServerKey(ServerId(id)))->chunkserver();
  }
  static v1::PlacementGroup Group(std::initializer_list<uint32_t> servers, uint32_t id = 0,
                                  uint64_t epoch = 0) {
    v1::PlacementGroup group;
    group.set_id(id);
    group.set_epoch(epoch);
    for (uint32_t server : servers) {
      v1::Member& member = *group.add_members();
      member.set_server(server);
      member.set_state(v1::MEMBER_ACTIVE);
      member.set_incarnation(1);
    }
    return group;
  }
  Code Create(std::initializer_list<v1::PlacementGroup> groups) {
    v1::Command command;
    command.mutable_create_groups()->set_pool(1);
    for (const auto& group : groups) *command.mutable_create_groups()->add_groups() = group;
    return fs_.Run(command);
  }
  v1::Outcome Update(std::initializer_list<v1::PlacementGroup> groups) {
    v1::Command command;
    for (const auto& group : groups) *command.mutable_update_groups()->add_groups() = group;
    return fs_.Apply(fs_.Complete(command));
  }
  v1::PlacementGroup Stored(uint32_t id) {
    return *fs_.Find<v1::PlacementGroup>(schema::GroupKey(PgId(id)));
  }
};

}  // namespace cairn::testing
