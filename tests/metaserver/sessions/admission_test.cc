#include "metaserver/sessions/admission.h"

#include <gtest/gtest.h>

#include "rpc/chunk_token.h"
#include "tests/support/memory_log.h"

namespace cairn::testing {

namespace {

Admission WithKeys(std::initializer_list<int64_t> made) {
  Admission admission;
  for (const int64_t at : made) {
    v1::TokenKey key;
    key.set_id(static_cast<uint32_t>(admission.keys.size()) + 1);
    key.mutable_made()->set_seconds(at);
    admission.keys.push_back(key);
  }
  return admission;
}

TEST(Admission, SealsWithTheNewestKeyThatEveryChunkserverHas) {
  const Admission admission = WithKeys({1000, 2000});
  EXPECT_EQ(admission.SealingKey({2007})->id(), 1u);
  EXPECT_EQ(admission.SealingKey({2008})->id(), 2u);
  EXPECT_EQ(WithKeys({1000}).SealingKey({1000})->id(), 1u);  // better than none
  EXPECT_EQ(WithKeys({}).SealingKey({1000}), nullptr);
}

TEST(Admission, TellsWhatAChunkserverLacks) {
  Admission admission = WithKeys({1000, 2000});
  for (const uint64_t sequence : {3u, 4u, 7u}) {
    admission.fences.emplace_back().set_sequence(sequence);
  }
  admission.last_fence = 7;
  auto told = [&](uint64_t fences_known, uint32_t key_known) {
    v1::HeartbeatRequest request;
    request.set_fences_known(fences_known);
    request.set_token_key_known(key_known);
    v1::HeartbeatResponse response;
    admission.Tell(request, response);
    EXPECT_EQ(response.last_fence(), 7u);
    std::string text = fmt::format("{} keys,", response.token_keys_size());
    for (const v1::Fence& fence : response.fences()) text += fmt::format(" {}", fence.sequence());
    return text;
  };
  EXPECT_EQ(told(0, 0), "2 keys, 3 4 7");
  EXPECT_EQ(told(3, 1), "2 keys, 4 7");
  EXPECT_EQ(told(5, 2), "0 keys, 7");
  EXPECT_EQ(told(7, 2), "0 keys,");
  EXPECT_EQ(told(8, 2), "0 keys, 3 4 7");  // of another history
}

TEST(Admission, ALongListComesInPieces) {
  Admission admission;
  admission.last_fence = kMostFencesAtOnce + 5;
  for (uint64_t i = 1; i <= admission.last_fence; ++i) {
    admission.fences.emplace_back().set_sequence(i);
  }
  v1::HeartbeatResponse first;
  admission.Tell({}, first);
  ASSERT_EQ(first.fences_size(), kMostFencesAtOnce);
  v1::HeartbeatRequest rest;
  rest.set_fences_known(first.fences(kMostFencesAtOnce - 1).sequence());
  v1::HeartbeatResponse second;
  admission.Tell(rest, second);
  EXPECT_EQ(second.fences_size(), 5);
}

TEST(AdmissionCache, ShowsWhatIsAppliedAndReadsItOncePerChange) {
  ManualClock clock;
  std::vector<LogEntry> entries;
  const OpenLog open_log = [&](StateMachine& machine,
                               LeadershipObserver&) -> Result<std::unique_ptr<ReplicatedLog>> {
    return std::unique_ptr<ReplicatedLog>(std::make_unique<MemoryLog>(entries, machine));
  };
  auto state = *OpenReplicatedState(MakeMemoryHome(), open_log, clock);
  AdmissionCache cache(*state);
  state->OnAdmissionChange([&](bool shown) { shown ? cache.EndChange() : cache.BeginChange(); });
  v1::Command found;
  found.mutable_found_cluster()->set_cluster_id("test");
  found.mutable_found_cluster()->set_copies(1);
  ASSERT_EQ(state->ProposeAndWait(found)->code(), 0u);
  const auto before = *cache.Get();
  EXPECT_TRUE(before->keys.empty());

  v1::Command open;
  open.mutable_open_session()->set_client_id("mount");
  const uint64_t session = state->ProposeAndWait(open)->session();
  EXPECT_EQ(*cache.Get(), before);  // not another one: this changed nothing of it

  v1::Command rotate;
  rotate.mutable_rotate_token_key()->set_id(1);
  rotate.mutable_rotate_token_key()->set_secret(std::string(kTokenKeyBytes, 's'));
  ASSERT_EQ(state->ProposeAndWait(rotate)->code(), 0u);
  EXPECT_EQ((*cache.Get())->keys.size(), 1u);

  v1::Command close;
  close.mutable_close_session()->set_session(session);
  close.mutable_close_session()->set_fence(true);
  ASSERT_EQ(state->ProposeAndWait(close)->code(), 0u);
  const auto after = *cache.Get();
  EXPECT_EQ(after->last_fence, 1u);
  ASSERT_EQ(after->fences.size(), 1u);
  EXPECT_EQ(after->fences[0].session(), session);
  EXPECT_TRUE(state->Stop().ok());
}

}  // namespace

}  // namespace cairn::testing
