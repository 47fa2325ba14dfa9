#include "fuse_client/background.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace cairn::fuse {

namespace {

// One NUL for success; else one byte with the exit code, and the reason up to the pipe's end.
constexpr std::string_view kSuccess("\0", 1);

[[noreturn]] void WaitForChild(int from_child, int code_of_silence) {
  std::string word;
  std::array<char, 512> buffer{};
  ssize_t count = 0;
  while ((count = read(from_child, buffer.data(), buffer.size())) > 0 ||
         (count < 0 && errno == EINTR)) {
    if (count > 0) word.append(buffer.data(), static_cast<size_t>(count));
    if (word == kSuccess) std::_Exit(0);
  }
  if (word.empty()) {
    std::fprintf(stderr, "cairn-fuse: the mount process ended without a word\n");
    std::_Exit(code_of_silence);
  }
  std::fprintf(stderr, "cairn-fuse: %s\n", word.c_str() + 1);
  std::_Exit(static_cast<unsigned char>(word[0]));
}

void WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void DropStandardStreams() {
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return;
  for (int stream = 0; stream <= 2; ++stream) dup2(null, stream);
  if (null > 2) close(null);
}

}  // namespace

Status BackgroundStart::Detach() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Status::FromErrno(errno, "pipe");
  pid_t child = fork();
  if (child < 0) return Status::FromErrno(errno, "fork");
  if (child > 0) {
    close(ends[1]);
    WaitForChild(ends[0], exit_code_(Status(ErrorCode::kInternal, "")));
  }
  close(ends[0]);
  pipe_ = ends[1];
  setsid();
  if (chdir("/") != 0) return Status::FromErrno(errno, "chdir /");
  return OkStatus();
}

void BackgroundStart::TellSuccess() {
  if (pipe_ < 0) return;
  WriteAll(pipe_, kSuccess);
  close(pipe_);
  pipe_ = -1;
  DropStandardStreams();
}

int BackgroundStart::TellFailure(const Status& reason) {
  const std::string text = reason.ToString();
  const int code = exit_code_(reason);
  if (pipe_ < 0) {
    std::fprintf(stderr, "cairn-fuse: %s\n", text.c_str());
    return code;
  }
  WriteAll(pipe_, static_cast<char>(code) + text);
  close(pipe_);
  pipe_ = -1;
  return code;
}

}  // namespace cairn::fuse
