"""Load that notices any error and any lost file, and how long it ever had to wait."""

import os
import shutil
import subprocess
import threading
import time


class CreateLoop(threading.Thread):
    """Creates one empty file after the other until it is told to stop."""

    def __init__(self, directory):
        super().__init__()
        self.directory = directory
        self.directory.mkdir()
        self.answered_at = []  # monotonic seconds; file n was answered at [n]
        self.problem, self.ends = None, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()

    def run(self):
        while not self.ends.is_set():
            name = f"f{len(self.answered_at)}"
            try:
                os.close(os.open(self.directory / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except OSError as error:
                self.problem = f"create {name}: {error}"
                return
            self.answered_at.append(time.monotonic())

    def count(self):
        assert self.problem is None, self.problem
        return len(self.answered_at)

    def longest_pause(self, since=0.0):
        """Seconds without an answer, of pauses that ended after `since`; one under way counts."""
        times = list(self.answered_at) + [time.monotonic()]
        return max(later - earlier for earlier, later in zip(times, times[1:]) if later >= since)

    def finish(self, seconds=120):
        """The number of files that were acknowledged."""
        self.ends.set()
        self.join(seconds)
        assert not self.is_alive(), "the create loop hangs"
        return self.count()

    def assert_complete(self, directory=None):
        """Every acknowledged file, and no other, is in `directory` (perhaps of another mount)."""
        found = set(os.listdir(directory or self.directory))
        made = {f"f{number}" for number in range(len(self.answered_at))}
        assert found == made, f"lost: {sorted(made - found)[:10]}, extra: {sorted(found - made)}"


class FioLoop(threading.Thread):
    """fio writes a file and reads it back with checksums, over and over."""

    def __init__(self, directory, mebibytes=16):
        super().__init__()
        directory.mkdir()
        self.command = ["fio", "--name=verify", f"--directory={directory}", "--rw=randwrite",
                        "--bs=64k", f"--size={mebibytes}m", "--ioengine=psync", "--fsync=64",
                        "--verify=crc32c", "--verify_fatal=1", "--do_verify=1",
                        "--output-format=terse"]
        self.rounds, self.problem, self.ends = 0, None, threading.Event()

    def __enter__(self):
        assert shutil.which("fio"), "fio is not installed"
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()

    def run(self):
        while not self.ends.is_set():
            try:
                result = subprocess.run(self.command, capture_output=True, text=True, timeout=300)
            except subprocess.TimeoutExpired:
                self.problem = "fio hangs"
                return
            if result.returncode != 0:
                self.problem = f"fio: {result.stdout}{result.stderr}"
                return
            self.rounds += 1

    def finish(self):
        """The number of rounds that were written and found as written."""
        self.ends.set()
        self.join(320)
        assert not self.is_alive(), "fio hangs"
        assert self.problem is None, self.problem
        return self.rounds


class FreshReader(threading.Thread):
    """Looks, through another mount, for the newest file that was acknowledged before the look
    began: it must be there, however old the metaserver's memory that answers."""

    def __init__(self, loop, directory):
        super().__init__()
        self.loop, self.directory = loop, directory
        self.looks, self.problem, self.ends = 0, None, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()

    def run(self):
        while not self.ends.is_set():
            newest = len(self.loop.answered_at) - 1
            if newest < 0:
                continue
            try:
                os.lstat(self.directory / f"f{newest}")
            except OSError as error:
                self.problem = f"f{newest} was acknowledged, then: {error}"
                return
            self.looks += 1

    def finish(self):
        self.ends.set()
        self.join(120)
        assert not self.is_alive(), "the reader hangs"
        assert self.problem is None, self.problem
        return self.looks
