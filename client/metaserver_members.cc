#include "client/metaserver_members.h"

#include <algorithm>
#include <set>

namespace cairn::client {

namespace {
template <typename Container, typename Value>
bool Contains(const Container& container, const Value& value) {
  return std::find(container.begin(), container.end(), value) != container.end();
}

// UNIX sockets in a list are another host's; ours are among the addresses that were told.
Address FramesOf(const v1::MetaserverMember& listed) {
  return ChooseAddress(listed.address().frames(), /*allow_unix=*/false);
}
}  // namespace

MetaserverMembers::MetaserverMembers(const std::vector<Address>& told) {
  for (const Address& address : told) {
    if (Find(address) == nullptr) members_.push_back({address, /*told=*/true, ServerId{}, {}});
  }
}

int MetaserverMembers::Rank(const Member& member, const Round& round) const {
  if (member.address == round.doubted) return round.doubted_answers ? 0 : 6;
  const auto doubted = std::find_if(members_.begin(), members_.end(), [&](const Member& other) {
    return other.address == round.doubted;
  });
  if (doubted != members_.end() && doubted->server != ServerId{} &&
      doubted->server == member.server) {
    return 7;  // the doubted one again, by another address
  }
  const bool named = round.named != ServerId{} && member.server == round.named;
  if (named && member.told) return 1;
  // Perhaps the named one, by a better address than the list has.
  if (member.told && member.server == ServerId{}) return 2;
  if (named) return 3;
  return member.told ? 4 : 5;
}

std::optional<Address> MetaserverMembers::Next(const Round& round, BootTime now) const {
  const Member* best = nullptr;
  for (const Member& member : members_) {
    if (now < member.shunned_until || Contains(round.asked, member.address)) continue;
    // The same one by another address.
    if (member.server != ServerId{} && Contains(round.heard, member.server)) continue;
    if (best == nullptr || Rank(member, round) < Rank(*best, round)) best = &member;
  }
  return best == nullptr ? std::nullopt : std::optional(best->address);
}

void MetaserverMembers::Heard(const Address& from, const v1::FindLeaderResponse& answer) {
  for (const v1::MetaserverMember& listed : answer.members()) Learn(listed);
  if (Member* member = Find(from)) {
    member->server = ServerId(answer.server());  // it knows best, even if its list is old
    member->shunned_until = {};
  }
  const bool leads = answer.server() != 0 && answer.leader() == answer.server();
  if (leads && answer.members_size() > 0) ForgetAllBut(answer);
}

void MetaserverMembers::Hangs(const Address& from, BootTime now) {
  const Member* hanging = Find(from);
  if (hanging == nullptr) return;
  const ServerId server = hanging->server;
  for (Member& member : members_) {
    const bool same = server != ServerId{} && member.server == server;
    if (same || member.address == from) member.shunned_until = now + kShun;
  }
}

void MetaserverMembers::Learn(const v1::MetaserverMember& listed) {
  const Address address = FramesOf(listed);
  const ServerId server(listed.server());
  if (server == ServerId{} || address.host.empty() || address.port == 0) return;
  if (Member* known = Find(address)) {
    known->server = server;  // a new one may have come in under the address of an old one
    return;
  }
  for (Member& member : members_) {
    if (member.told || member.server != server) continue;
    member.address = address;  // it has moved
    return;
  }
  members_.push_back({address, /*told=*/false, server, {}});
  const auto first = std::find_if(members_.begin(), members_.end(),
                                  [](const Member& member) { return !member.told; });
  if (static_cast<size_t>(members_.end() - first) > kMostHeardOf) members_.erase(first);
}

void MetaserverMembers::ForgetAllBut(const v1::FindLeaderResponse& answer) {
  const auto gone = [&](const Member& member) {
    return !member.told && std::none_of(answer.members().begin(), answer.members().end(),
                                        [&](const v1::MetaserverMember& listed) {
                                          return ServerId(listed.server()) == member.server;
                                        });
  };
  members_.erase(std::remove_if(members_.begin(), members_.end(), gone), members_.end());
}

size_t MetaserverMembers::servers() const {
  size_t unknown = 0;
  std::set<ServerId> known;
  for (const Member& member : members_) {
    if (member.server == ServerId{}) {
      ++unknown;
    } else {
      known.insert(member.server);
    }
  }
  return known.size() + unknown;
}

MetaserverMembers::Member* MetaserverMembers::Find(const Address& address) {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const Member& member) { return member.address == address; });
  return found == members_.end() ? nullptr : &*found;
}

}  // namespace cairn::client
