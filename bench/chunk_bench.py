#!/usr/bin/env python3
"""Measures what the chunk plane costs: each figure is one the design promises.

  bench/chunk_bench.py catch_up [--seconds 60]   bytes moved per byte changed while away
  bench/chunk_bench.py many_chunks [--chunks N]  heartbeat, map, memory at 1 and N chunks
  bench/chunk_bench.py creates [--files 2000]    CPU and disk flushes per file of 8 KiB at 3 copies
  bench/chunk_bench.py latency [--rounds 5]      p99 of a client while a repair runs, against idle
"""

import argparse
import os
import pathlib
import re
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/cluster"))
from harness import cluster, run, wait_until  # noqa: E402
from mount_bench import timed, write_file  # noqa: E402
from repair_test import is_whole  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20


def repair_of(c):
    return c.status().get("repair") or {}


def written_bytes(pid):
    """By write calls to files, the index included; sockets are written to with sendmsg."""
    return int(re.search(r"wchar: (\d+)", pathlib.Path(f"/proc/{pid}/io").read_text())[1])


def catch_up(options):
    """A server is stopped, a slow writer goes on in a file, the server comes back."""
    with cluster(chunkservers=3, copies=3) as c:
        path = c.mount / "file"
        write_file(path, 256)
        wait_until(lambda: is_whole(c), 60, "a whole cluster")
        c.pause("chunk", 3)
        changed, ends = 0, time.monotonic() + options.seconds
        with open(path, "r+b", buffering=0) as file:
            while time.monotonic() < ends:
                file.seek(int.from_bytes(os.urandom(4)) % (256 * MIB // (4 * KIB)) * 4 * KIB)
                file.write(os.urandom(4 * KIB))
                os.fsync(file.fileno())
                changed += 4 * KIB
                time.sleep(0.05)
        written = written_bytes(c.pid("chunk3"))
        c.resume("chunk", 3)
        wait_until(lambda: is_whole(c), 300, "the copies to be back")
        moved = written_bytes(c.pid("chunk3")) - written
        print(f"changed {changed / MIB:.2f} MiB, moved {moved / MIB:.2f} MiB, "
              f"ratio {moved / changed:.2f}")


def received_bytes(pid):
    """Bytes that came in over TCP and its socket, of all connections of a process that are open."""
    listed = run("ss", "-tinpH").stdout
    total = 0
    for line, details in zip(listed.splitlines()[::2], listed.splitlines()[1::2]):
        if f"pid={pid}," in line:
            total += int((re.search(r"bytes_received:(\d+)", details) or [0, 0])[1])
    return total


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def look(c, seconds=20):
    leader = c.pid(f"meta{c.leader()}")
    before, started = received_bytes(leader), time.monotonic()
    time.sleep(seconds)
    rate = (received_bytes(leader) - before) / (time.monotonic() - started)
    row = {"resident_kib": resident_kib(leader), "received_bytes_s": rate,
           "map_version": int(c.status()["map_version"])}
    print("  ".join(f"{key} {value:.0f}" for key, value in row.items()), flush=True)


def many_chunks(options):
    """One file of chunks of 1 MiB with 4 KiB in each, at one copy."""
    with cluster(chunkservers=1, copies=1) as c:
        run("mkdir", c.mount / "wide")
        c.cairn("layout", "set", c.mount / "wide", "--chunk-size", "1M")
        block = os.urandom(4 * KIB)
        with open(c.mount / "wide" / "file", "wb", buffering=0) as file:
            os.pwrite(file.fileno(), block, 0)
            os.fsync(file.fileno())
            look(c)
            started = time.monotonic()
            for index in range(1, options.chunks):
                os.pwrite(file.fileno(), block, index * MIB)
            os.fsync(file.fileno())
            elapsed = time.monotonic() - started
            print(f"{options.chunks} chunks in {elapsed:.0f} s", flush=True)
        look(c)
        started = time.monotonic()
        (c.mount / "wide" / "file").unlink()
        wait_until(lambda: not c.chunk_files(1), 3600, "the chunks to be removed")
        print(f"removed in {time.monotonic() - started:.0f} s")
        look(c)


def disk_flushes(directory):
    """Of the device that the directory lies on, since boot."""
    device = os.stat(directory).st_dev
    path = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    return int(path.read_text().split()[15])


def creates(options):
    with cluster(chunkservers=3, copies=3) as c:
        data = os.urandom(8 * KIB)

        def make(prefix):
            for number in range(options.files):
                (c.mount / f"{prefix}{number}").write_bytes(data)

        make("warm")
        flushes = disk_flushes(c.directory)
        elapsed, cpu = timed(c, lambda: make("file"))
        time.sleep(2)  # what is written behind
        flushes = disk_flushes(c.directory) - flushes
        print(f"{options.files / elapsed:.0f} files/s, {1000 * cpu / options.files:.2f} ms CPU and "
              f"{flushes / options.files:.2f} disk flushes per file")


class Prober(threading.Thread):
    """Reads 4 KiB from somewhere, cold, and writes 4 KiB with fsync, in turn."""

    def __init__(self, directory):
        super().__init__()
        self.times, self.ends = [], threading.Event()
        self.file = open(directory / "probe", "r+b", buffering=0)

    def run(self):
        size = os.fstat(self.file.fileno()).st_size // (4 * KIB)
        while not self.ends.is_set():
            offset = int.from_bytes(os.urandom(4)) % size * 4 * KIB
            os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            started = time.perf_counter()
            os.pread(self.file.fileno(), 4 * KIB, offset)
            was_read = time.perf_counter()
            os.pwrite(self.file.fileno(), os.urandom(4 * KIB), offset)
            os.fsync(self.file.fileno())
            ended = time.perf_counter()
            self.times.append((ended - started, was_read - started, ended - was_read))

    def finish(self):
        """The 99th percentile of a probe, of its read and of its write with fsync, in ms."""
        self.ends.set()
        self.join()
        self.file.close()
        return [statistics.quantiles(times, n=100)[98] * 1000 for times in zip(*self.times)]


def latency_round(size_mib):
    with cluster(chunkservers=4, copies=3) as c:
        write_file(c.mount / "big", size_mib)
        write_file(c.mount / "probe", 64)
        idle = Prober(c.mount)
        idle.start()
        time.sleep(10)
        idle_ms = idle.finish()
        c.kill("chunk", 2)
        wait_until(lambda: "UNDER_REPLICATED" in c.health_codes(), 30, "the loss to be seen")
        c.cairn("repair", "now")
        wait_until(lambda: int(repair_of(c).get("done_bytes", 0)) > 0, 60, "the first byte")
        busy = Prober(c.mount)
        busy.start()
        # Asking takes a fifth of a core while it lasts, so it is not done all the time.
        wait_until(lambda: time.sleep(2) or is_whole(c), 900, "all copies")
        busy_ms = busy.finish()
        return idle_ms, busy_ms, len(busy.times)


def shown(milliseconds):
    return "{:.2f} ({:.2f}, {:.2f})".format(*milliseconds)


def latency(options):
    ratios = []
    for number in range(options.rounds):
        idle_ms, busy_ms, count = latency_round(options.size_mib)
        ratios.append(busy_ms[0] / idle_ms[0])
        print(f"round {number + 1}: p99 (read, write + fsync) idle {shown(idle_ms)} ms, during a "
              f"repair {shown(busy_ms)} ms ({count} probes), ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figure", choices=["catch_up", "many_chunks", "creates", "latency"])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size-mib", type=int, default=1024)
    options = parser.parse_args()
    globals()[options.figure](options)


if __name__ == "__main__":
    main()
