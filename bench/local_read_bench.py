#!/usr/bin/env python3
"""Measures reads of a file on this host's chunkservers through two mounts that take turns: one
reads the chunks' files by itself, the other by frames (-o no_local_reads). What the kernel keeps of
the mount is dropped before each turn; the chunks' files stay in the page cache. CPU seconds are
those of the servers and of the mount's process.

  bench/local_read_bench.py [--size-mib 1024] [--rounds 5] [--copies 1 3]
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/cluster"))
from harness import cluster, run  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
WAYS = {"here": "log_level=info", "frames": "no_local_reads"}


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(word) for word in fields[11:13]) / TICKS


def pid_of_mount(place):
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"cairn-fuse" in words[0] and str(place).encode() in words:
            return int(directory.name)
    raise AssertionError(f"nobody serves {place}")


def sequential(file, size, block, _count):
    for offset in range(0, size, block):
        os.pread(file, block, offset)
    return size


def at_random(file, size, block, count):
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    for _ in range(count):
        os.pread(file, block, random.randrange(size // block) * block)
    return count * block


PATTERNS = {
    "sequential 128 KiB": (sequential, 128 << 10, 0),
    "random 128 KiB": (at_random, 128 << 10, 4000),
    "random 4 KiB": (at_random, 4 << 10, 20000),
}


def turn(servers, place, pattern):
    function, block, count = PATTERNS[pattern]
    pids = [*servers, pid_of_mount(place)]
    path = place / "big"
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        cpu, start = sum(map(cpu_of, pids)), time.perf_counter()
        read = function(file, path.stat().st_size, block, count)
        elapsed, cpu = time.perf_counter() - start, sum(map(cpu_of, pids)) - cpu
    finally:
        os.close(file)
    return {"MiB/s": read / elapsed / (1 << 20), "CPU s/GiB": cpu / read * (1 << 30),
            "us/read": elapsed / (read / block) * 1e6}


def measure(copies, size_mib, rounds):
    with cluster(copies=copies) as c:
        block = os.urandom(1 << 20)
        with open(c.mount / "big", "wb", buffering=0) as file:
            for _ in range(size_mib):
                file.write(block)
            os.fsync(file.fileno())
        places = {way: c.root / way for way in WAYS}
        for way, place in places.items():
            place.mkdir()
            c.cairn("mount", place, "-o", WAYS[way])
        servers = [c.pid(name) for name in c.server_names()]
        found = {}
        for _ in range(rounds):
            for pattern in PATTERNS:
                for way, place in places.items():
                    for unit, value in turn(servers, place, pattern).items():
                        found.setdefault((pattern, way, unit), []).append(value)
        for place in places.values():
            run("umount", place)
        for (pattern, way, unit), values in found.items():
            print(f"{copies} copies, {pattern:18} {way:6} {statistics.median(values):9.2f} "
                  f"{unit:9} (from {min(values):.2f} to {max(values):.2f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 3])
    arguments = parser.parse_args()
    for copies in arguments.copies:
        measure(copies, arguments.size_mib, arguments.rounds)


if __name__ == "__main__":
    main()
