#include "raft/core/membership.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "raft/core/seeded_bug.h"

namespace cairn::raft {

namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kMaxMembers = 1000;
constexpr size_t kMaxAddressBytes = 4096;

bool MostOf(const Members& members, const std::function<bool(ServerId)>& yes) {
  size_t count = 0;
  for (const auto& [id, address] : members) count += yes(id) ? 1 : 0;
  return count > members.size() / 2;
}

uint64_t ReachedByMost(const Members& members, const std::function<uint64_t(ServerId)>& reached) {
  std::vector<uint64_t> values;
  for (const auto& [id, address] : members) values.push_back(reached(id));
  // With 3 members the second largest, with 4 the second, with 5 the third: a majority has it.
  auto nth = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

void PutNumber(std::string& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

void PutMembers(std::string& out, const Members& members) {
  PutNumber(out, static_cast<uint32_t>(members.size()));
  for (const auto& [id, address] : members) {
    PutNumber(out, id.value);
    PutNumber(out, static_cast<uint32_t>(address.size()));
    out += address;
  }
}

// Takes values off the front; what is not there makes it fail, for good.
class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes) {}

  uint32_t TakeNumber() {
    const std::string_view bytes = Take(4);
    uint32_t value = 0;
    for (size_t i = bytes.size(); i > 0; --i) {
      value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
    }
    return value;
  }
  std::string_view Take(size_t size) {
    if (size > bytes_.size()) failed_ = true;
    if (failed_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  Members TakeMembers() {
    Members members;
    const uint32_t count = TakeNumber();
    if (count > kMaxMembers) failed_ = true;
    for (uint32_t i = 0; i < count && !failed_; ++i) {
      const ServerId id(TakeNumber());
      const uint32_t size = TakeNumber();
      if (id.value == 0 || size > kMaxAddressBytes) failed_ = true;
      const bool fresh = members.emplace(id, Take(size)).second;
      if (!fresh) failed_ = true;
    }
    return members;
  }
  bool Finished() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

std::string Listed(const char* part, const Members& members) {
  std::string text = part;
  for (const auto& [id, address] : members) {
    text += fmt::format(" {}", id);
    if (!address.empty()) text += "=" + address;
  }
  return text;
}

}  // namespace

std::vector<ServerId> Membership::All() const {
  std::vector<ServerId> all;
  for (const Members* members : {&voters, &outgoing, &learners}) {
    for (const auto& [id, address] : *members) all.push_back(id);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

const std::string* Membership::AddressOf(ServerId id) const {
  for (const Members* members : {&voters, &outgoing, &learners}) {
    if (const auto found = members->find(id); found != members->end()) return &found->second;
  }
  return nullptr;
}

bool Membership::HasQuorum(const std::function<bool(ServerId)>& yes) const {
  if (voters.empty() || !MostOf(voters, yes)) return false;
  return outgoing.empty() || SeededBugIs(SeededBug::kSingleMajorityInJoint) ||
         MostOf(outgoing, yes);
}

uint64_t Membership::QuorumValue(const std::function<uint64_t(ServerId)>& reached) const {
  const uint64_t value = ReachedByMost(voters, reached);
  if (outgoing.empty() || SeededBugIs(SeededBug::kSingleMajorityInJoint)) return value;
  return std::min(value, ReachedByMost(outgoing, reached));
}

std::string ToString(const Membership& membership) {
  std::string text = Listed("voters", membership.voters);
  if (membership.IsJoint()) text += Listed("; outgoing", membership.outgoing);
  if (!membership.learners.empty()) text += Listed("; learners", membership.learners);
  return text;
}

std::string Encode(const Membership& membership) {
  std::string bytes(1, static_cast<char>(kFormat));
  PutMembers(bytes, membership.voters);
  PutMembers(bytes, membership.outgoing);
  PutMembers(bytes, membership.learners);
  return bytes;
}

Result<Membership> DecodeMembership(std::string_view bytes) {
  Membership membership;
  if (bytes.empty() || bytes.front() != static_cast<char>(kFormat)) {
    return Fail(ErrorCode::kCorruption, "a membership of {} bytes and unknown format",
                bytes.size());
  }
  Parser parser(bytes.substr(1));
  membership.voters = parser.TakeMembers();
  membership.outgoing = parser.TakeMembers();
  membership.learners = parser.TakeMembers();
  if (!parser.Finished()) {
    return Fail(ErrorCode::kCorruption, "a membership of {} bytes does not parse", bytes.size());
  }
  return membership;
}

}  // namespace cairn::raft
