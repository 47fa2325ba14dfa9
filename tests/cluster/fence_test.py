"""A mount that is silent for longer than its session lives is shut out: what it sends later reaches
no chunkserver, and what it held passes on (rules L1, C11)."""

import contextlib
import os
import signal
import subprocess
import sys

from harness import cluster, main, sha256, wait_until

CHUNK = 16 << 20
SESSION_LIFE = 30

# Holds two files open and writes to both, the second time without an fsync. A process of its own:
# one that forks closes what its child inherits, and that would wait for the mount.
WRITER = """
import errno, os, sys
gone = open(sys.argv[1], "w+b", buffering=0)
shared = open(sys.argv[2], "r+b", buffering=0)
gone.write(b"a" * 100_000)
os.fsync(gone.fileno())
print("written", flush=True)
sys.stdin.readline()
gone.seek(int(sys.argv[3]))
gone.write(b"b" * 100_000)
shared.write(b"b" * 100_000)
print("late", flush=True)
sys.stdin.readline()
for file in (gone, shared):
    for attempt in (lambda: os.fsync(file.fileno()), lambda: file.write(b"c")):
        try:
            attempt()
            print("ok", flush=True)
        except OSError as error:
            print(errno.errorcode[error.errno], flush=True)
"""


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def write_durably(path, data):
    with open(path, "r+b" if path.exists() else "wb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())


def a_mount_that_was_stopped_for_too_long_writes_no_more():
    with cluster(mounts=2) as c:
        kept, shared = c.mounts[1] / "kept", c.mounts[1] / "shared"
        write_durably(kept, os.urandom(3_000_000))
        write_durably(shared, os.urandom(200_000))
        digest = sha256(kept)
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, c.mounts[0] / "gone", c.mounts[0] / "shared",
             str(CHUNK)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert writer.stdout.readline() == "written\n"
        (c.mounts[1] / "gone").unlink()
        print("go on", file=writer.stdin, flush=True)
        assert writer.stdout.readline() == "late\n"
        with stopped(c.pid("client1")):
            # Its holder is gone and no chunkserver serves it any more: only then the file goes.
            wait_until(lambda: int(c.status()["inodes"]) == 3, SESSION_LIFE + 20,
                       "the session to end and the unlinked file to go")
            mine = os.urandom(200_000)
            write_durably(shared, mine)
        print("go on", file=writer.stdin, flush=True)
        answers = writer.communicate(timeout=60)[0].split()
        assert answers == ["EIO"] * 4, answers
        assert shared.read_bytes() == mine, "late bytes are in the shared file"
        assert sha256(kept) == digest, "an old file is another one"
        report = c.cairn("fsck", check=False)
        assert report.returncode == 0, f"late bytes are somewhere: {report.stdout}"
        # What is opened from now on is of a new session.
        write_durably(c.mounts[0] / "new", b"new")
        assert (c.mounts[1] / "new").read_bytes() == b"new", "what came after is not there"
        c.wait_healthy(30)


main(a_mount_that_was_stopped_for_too_long_writes_no_more)
