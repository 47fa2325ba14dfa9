#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class NoteRepairTest : public GroupsTest {
 protected:
  Code Note(int events, std::optional<uint64_t> total_bytes = std::nullopt) {
    v1::Command command;
    v1::NoteRepairCommand& note = *command.mutable_note_repair();
    for (int i = 0; i < events; ++i) note.add_events()->set_code("CODE");
    if (total_bytes) note.mutable_repair()->set_total_bytes(*total_bytes);
    return fs_.Run(command);
  }
  std::optional<v1::EventRecord> Event(uint64_t sequence) {
    return fs_.Find<v1::EventRecord>(schema::EventKey(sequence));
  }
  std::optional<v1::RepairRecord> Repair() {
    return fs_.Find<v1::RepairRecord>(schema::RepairKey());
  }
};
CAIRN_OVER_BOTH_STORES(NoteRepairTest);

TEST_P(NoteRepairTest, EventsGetTheirSequenceAndTheTimeOfTheCommand) {
  v1::Command command;
  command.mutable_note_repair()->add_events()->set_code("FIRST");
  command.mutable_note_repair()->mutable_events(0)->set_sequence(99);
  command = fs_.Complete(command);
  ASSERT_EQ(Namespace::CodeOf(fs_.Apply(command)), Code::kOk);
  ASSERT_EQ(Note(2), Code::kOk);
  EXPECT_EQ(Event(1)->code(), "FIRST");
  EXPECT_EQ(Event(1)->sequence(), 1u);
  EXPECT_EQ(Event(1)->time().seconds(), command.time().seconds());
  EXPECT_EQ(Event(3)->sequence(), 3u);
  EXPECT_FALSE(Event(4).has_value());
  EXPECT_FALSE(Event(99).has_value());
}

TEST_P(NoteRepairTest, ANoteWithoutARecordLeavesTheRecordAlone) {
  ASSERT_EQ(Note(0, 5), Code::kOk);
  ASSERT_EQ(Note(1), Code::kOk);
  EXPECT_EQ(Repair()->total_bytes(), 5u);
  ASSERT_EQ(Note(0, 6), Code::kOk);
  EXPECT_EQ(Repair()->total_bytes(), 6u);
}

TEST_P(NoteRepairTest, TheMapDoesNotChange) {
  const uint64_t version = fs_.State().map_version();
  ASSERT_EQ(Note(1, 5), Code::kOk);
  EXPECT_EQ(fs_.State().map_version(), version);
}

TEST_P(NoteRepairTest, AThousandEventsAreKept) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Note(100), Code::kOk);
  EXPECT_TRUE(Event(1).has_value());
  ASSERT_EQ(Note(3), Code::kOk);
  EXPECT_FALSE(Event(3).has_value());
  EXPECT_TRUE(Event(4).has_value());
  EXPECT_TRUE(Event(1003).has_value());
}

TEST_P(NoteRepairTest, MoreThanAHundredEventsAtOnceAreRefused) {
  EXPECT_EQ(Note(101, 5), Code::kTooLarge);
  EXPECT_FALSE(Repair().has_value());
  EXPECT_FALSE(Event(1).has_value());
}

}  // namespace

}  // namespace cairn::testing
