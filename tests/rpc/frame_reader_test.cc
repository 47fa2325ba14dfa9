#include "rpc/frame_reader.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/frame_writer.h"

namespace cairn {
namespace {

using Progress = FrameReader::Progress;

class FrameReaderTest : public testing::Test {
 protected:
  FrameReaderTest() {
    int pair[2];
    CAIRN_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    PrepareSocket(pair[0], true);
    stream_ = Stream::Plain(pair[0]);
    peer_ = pair[1];
  }
  ~FrameReaderTest() override { Hangup(); }

  void Feed(const std::string& bytes) {
    ASSERT_EQ(write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void Hangup() {
    if (peer_ >= 0) close(peer_);
    peer_ = -1;
  }
  static std::string Bytes(uint64_t id, const std::string& body, const std::string& payload) {
    FrameHeader header;
    header.request_id = id;
    header.body_bytes = static_cast<uint32_t>(body.size());
    header.payload_bytes = static_cast<uint32_t>(payload.size());
    auto encoded = EncodeFrameHeader(header);
    return std::string(reinterpret_cast<const char*>(encoded.data()), encoded.size()) + body +
           payload;
  }
  Progress Next() {
    auto progress = reader_.Next(*stream_, frame_);
    EXPECT_TRUE(progress.has_value()) << progress.error().ToString();
    return progress.value_or(Progress::kClosed);
  }
  // A wait is only reported once; then the socket is asked again.
  void ExpectFrame(uint64_t id, const std::string& body, const std::string& payload) {
    Progress progress = Next();
    if (progress == Progress::kWantRead) progress = Next();
    ASSERT_EQ(progress, Progress::kFrame);
    EXPECT_EQ(frame_.header.request_id, id);
    EXPECT_EQ(frame_.body, body);
    EXPECT_EQ(frame_.payload.view(), payload);
  }

  std::unique_ptr<Stream> stream_;
  int peer_ = -1;
  FrameReader reader_;
  Frame frame_;
};

TEST_F(FrameReaderTest, FramesThatComeTogetherAreHandedOutOneByOne) {
  Feed(Bytes(1, "a", "") + Bytes(2, "", "pay") + Bytes(3, "", ""));
  ExpectFrame(1, "a", "");
  ExpectFrame(2, "", "pay");
  ExpectFrame(3, "", "");
  EXPECT_EQ(Next(), Progress::kWantRead);
  EXPECT_TRUE(reader_.exhausted());
  EXPECT_FALSE(reader_.in_frame());
}

TEST_F(FrameReaderTest, AFrameMayBeCutAnywhere) {
  std::string bytes = Bytes(1, "body", std::string(100, 'p'));
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    Feed(bytes.substr(0, cut));
    reader_.Refresh();
    EXPECT_EQ(Next(), Progress::kWantRead);
    EXPECT_TRUE(reader_.in_frame());
    Feed(bytes.substr(cut));
    ExpectFrame(1, "body", std::string(100, 'p'));
  }
}

TEST_F(FrameReaderTest, ALargePayloadAndTheFrameBehindItArriveWhole) {
  std::string large(100'000, 'L');
  Feed(Bytes(1, "x", large) + Bytes(2, std::string(40'000, 'b'), ""));
  ExpectFrame(1, "x", large);
  ExpectFrame(2, std::string(40'000, 'b'), "");
}

TEST_F(FrameReaderTest, AnEndBetweenFramesIsCleanInsideOneItIsNot) {
  Feed(Bytes(1, "a", ""));
  Feed(Bytes(2, "b", "").substr(0, 10));
  Hangup();
  ExpectFrame(1, "a", "");
  auto progress = reader_.Next(*stream_, frame_);
  if (progress == Progress::kWantRead) progress = reader_.Next(*stream_, frame_);
  ASSERT_FALSE(progress.has_value());
  EXPECT_EQ(progress.error().code(), ErrorCode::kUnavailable);
}

TEST_F(FrameReaderTest, RefreshAsksTheSocketAgainSoAnEndIsSeenAtOnce) {
  Feed(Bytes(1, "a", ""));
  ExpectFrame(1, "a", "");
  Hangup();
  reader_.Refresh();
  EXPECT_EQ(Next(), Progress::kClosed);
}

}  // namespace
}  // namespace cairn
