#include "rpc/frame_writer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "rpc/dial.h"
#include "rpc/frame_reader.h"

namespace cairn {
namespace {

using Progress = FrameWriter::Progress;

class FrameWriterTest : public testing::Test {
 protected:
  FrameWriterTest() {
    int pair[2];
    CAIRN_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    near_ = Stream::Plain(pair[0]);
    far_ = Stream::Plain(pair[1]);
    writer_ = std::make_unique<FrameWriter>(*near_, 8u << 20);
  }
  static OutgoingFrame Numbered(uint64_t id, size_t payload_bytes) {
    FrameHeader header;
    header.request_id = id;
    return *MakeFrame(
        header, v1::StatusDetail(),
        Payload::CopyOf(std::string(payload_bytes, static_cast<char>('a' + id % 26))));
  }
  Frame Receive() {
    Frame frame;
    Deadline until = Deadline::After(std::chrono::seconds(10));
    while (!until.Passed()) {
      auto progress = reader_.Next(*far_, frame);
      CAIRN_CHECK(progress.has_value());
      if (*progress == FrameReader::Progress::kFrame) return frame;
      PollUntil(far_->descriptor(), POLLIN, until);
    }
    ADD_FAILURE() << "no frame came";
    return frame;
  }

  std::unique_ptr<Stream> near_;
  std::unique_ptr<Stream> far_;
  std::unique_ptr<FrameWriter> writer_;
  FrameReader reader_;
};

TEST_F(FrameWriterTest, AFullSocketLeavesTheRestToWhoeverContinues) {
  ASSERT_EQ(writer_->Send(Numbered(1, 4 << 20)), Progress::kBlocked);
  ASSERT_EQ(writer_->Send(Numbered(2, 10)), Progress::kQueued);
  EXPECT_GT(writer_->queued_bytes(), 0u);
  std::thread continuing([&] {
    Progress progress = Progress::kBlocked;
    while (progress == Progress::kBlocked) {
      PollUntil(near_->descriptor(), POLLOUT, Deadline::After(std::chrono::seconds(10)));
      progress = *writer_->Continue();
    }
  });
  Frame first = Receive();
  EXPECT_EQ(first.header.request_id, 1u);
  EXPECT_EQ(first.payload.view(), std::string(4 << 20, 'b'));
  EXPECT_EQ(Receive().header.request_id, 2u);
  continuing.join();
  EXPECT_EQ(writer_->queued_bytes(), 0u);
  EXPECT_EQ(writer_->Send(Numbered(3, 0)), Progress::kDone);
}

TEST_F(FrameWriterTest, WhoIsTooFarAheadIsToldAndTheConnectionGoesOn) {
  ASSERT_EQ(writer_->Send(Numbered(1, 4 << 20)), Progress::kBlocked);
  ASSERT_EQ(writer_->Send(Numbered(2, 4 << 20)), Progress::kQueued);
  EXPECT_EQ(writer_->Send(Numbered(3, 1 << 20)).error().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(writer_->broken());
}

TEST_F(FrameWriterTest, ABrokenStreamFailsThisAndEveryLaterFrame) {
  far_.reset();
  EXPECT_EQ(writer_->Send(Numbered(1, 0)).error().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(writer_->broken());
  EXPECT_EQ(writer_->Send(Numbered(2, 0)).error().code(), ErrorCode::kUnavailable);
}

TEST_F(FrameWriterTest, FramesOfManyThreadsStayWhole) {
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 50; ++i) {
        auto progress = writer_->Send(Numbered(t * 100 + i, 3000));
        while (progress == Progress::kBlocked) {
          PollUntil(near_->descriptor(), POLLOUT, Deadline::After(std::chrono::seconds(10)));
          progress = writer_->Continue();
        }
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    Frame frame = Receive();
    char expected = static_cast<char>('a' + frame.header.request_id % 26);
    EXPECT_EQ(frame.payload.view(), std::string(3000, expected));
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace cairn
