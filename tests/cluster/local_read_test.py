"""A mount reads chunks of this host from their files: what it shows is never older than what was
shown or acknowledged before, whoever dies, writes, cuts or flips bits meanwhile."""

import os
import struct
import threading
import time

from harness import cluster, main, wait_until
from repair_test import server_id
from scrub_test import flip

BLOCK = 4096
BLOCKS = 64


def version(number):
    return (struct.pack("<Q", number) + bytes(BLOCK - 8)) * BLOCKS


def read_cold(file, length=BLOCK * BLOCKS):
    """Not from the kernel's cache of the mount."""
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return os.pread(file.fileno(), length, 0)


class Writer(threading.Thread):
    """Writes version after version through one mount; `done` is the last one that is on disk."""

    def __init__(self, path, pause):
        super().__init__()
        self.path, self.pause = path, pause
        self.done, self.problem, self.ends = 1, None, threading.Event()

    def run(self):
        try:
            with open(self.path, "r+b", buffering=0) as file:
                number = 1
                while not self.ends.wait(self.pause):
                    number += 1
                    os.pwrite(file.fileno(), version(number), 0)
                    os.fsync(file.fileno())
                    self.done = number
        except OSError as error:
            self.problem = error


def local_reads_of(c, number):
    """Of the mount's process: how many data files of chunks it has open."""
    pid = c.pid(f"client{number}")
    links = (os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd"))
    return sum("/chunks/" in link for link in links)


def nobody_reads_old_bytes_after_a_primary_was_killed_and_restarted():
    with cluster(mounts=2) as c:
        mine, other = (mount / "file" for mount in c.mounts)
        mine.write_bytes(version(1))
        with open(mine, "r+b") as file:
            os.fsync(file.fileno())
        wait_until(other.exists, 10, "the file to be there")
        writer = Writer(mine, pause=0.05)
        writer.start()
        reads, descriptors, newest = 0, 0, 1
        try:
            for number in (1, 2, 3):
                for step in (lambda n: c.kill("chunk", n), lambda n: c.start("chunk", n)):
                    step(number)
                    end = time.monotonic() + 3
                    while time.monotonic() < end:
                        least = max(newest, writer.done)
                        with open(other, "rb", buffering=0) as file:
                            data = read_cold(file)
                        shown = struct.unpack_from("<Q", data)[0]
                        assert data == version(shown), f"torn at {shown}"
                        assert shown >= least, f"{shown} after {least}"
                        newest, reads = shown, reads + 1
                        descriptors = max(descriptors, local_reads_of(c, 2))
        finally:
            writer.ends.set()
            writer.join(60)
        assert writer.problem is None, writer.problem
        print(f"{reads} reads, {writer.done} versions, {descriptors} files read at once")
        assert descriptors > 0, "nothing was read locally"


def truncating_and_extending_from_another_mount_shows_no_old_byte():
    with cluster(mounts=2) as c:
        mine, other = (mount / "file" for mount in c.mounts)
        for round_number in range(1, 6):
            mine.write_bytes(version(round_number))
            with open(mine, "r+b") as file:
                os.fsync(file.fileno())
            with open(other, "rb", buffering=0) as file:
                def is_read_locally():
                    assert read_cold(file) == version(round_number)
                    return local_reads_of(c, 2) > 0
                wait_until(is_read_locally, 10, "the chunk to be read locally")
            os.truncate(mine, 3 * BLOCK + 10)
            os.truncate(mine, BLOCKS * BLOCK)
            expected = version(round_number)[:3 * BLOCK + 10]
            expected += bytes(BLOCKS * BLOCK - len(expected))
            for _ in range(3):
                with open(other, "rb", buffering=0) as file:
                    assert read_cold(file) == expected, f"round {round_number}"


def a_flipped_byte_in_a_file_that_is_read_locally_is_mended_and_counted():
    with cluster(mounts=1) as c:
        path = c.mount / "file"
        path.write_bytes(version(7))
        with open(path, "r+b", buffering=0) as file:
            os.fsync(file.fileno())
            wait_until(lambda: read_cold(file) and local_reads_of(c, 1) == 1, 10,
                       "the chunk to be read locally")
            pid = c.pid("client1")
            links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
            flip(next(link for link in links if "/chunks/" in link), 5 * BLOCK + 100)
            for _ in range(5):
                assert read_cold(file) == version(7)
        wait_until(lambda: "CHECKSUM_ERROR" in c.health_codes(), 10, "the damage to be told")
        servers = c.status()["chunkservers"]
        assert sum(int(server.get("checksum_errors", 0)) for server in servers) == 1, servers
        for number in (1, 2, 3):
            for file in c.chunk_files(number):
                assert file.read_bytes() == version(7), f"{file} of server {server_id(c, number)}"


if __name__ == "__main__":
    main(nobody_reads_old_bytes_after_a_primary_was_killed_and_restarted,
         truncating_and_extending_from_another_mount_shows_no_old_byte,
         a_flipped_byte_in_a_file_that_is_read_locally_is_mended_and_counted)
