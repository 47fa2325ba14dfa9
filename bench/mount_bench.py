#!/usr/bin/env python3
"""Measures a mounted cluster end to end: create and lookup in µs, a sequential write and read in
MiB/s at one and at three copies, with the CPU seconds of all processes of the cluster.

  bench/mount_bench.py [--size-mib 1024] [--files 2000] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/cluster"))
from harness import Cluster, cluster, run  # noqa: E402


def cpu_seconds(c: Cluster):
    ticks = 0
    for path in (c.directory / "run").glob("*.pid"):
        pid = path.read_text().split()[0]
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
        ticks += sum(int(word) for word in fields.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(c, action):
    cpu, start = cpu_seconds(c), time.perf_counter()
    action()
    elapsed = time.perf_counter() - start
    return elapsed, cpu_seconds(c) - cpu


def write_file(path, size_mib):
    block = os.urandom(1 << 20)
    with open(path, "wb", buffering=0) as file:
        for _ in range(size_mib):
            file.write(block)
        os.fsync(file.fileno())


def read_file(path):
    buffer = bytearray(1 << 20)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def measure(copies, size_mib, files):
    with cluster(copies=copies) as c:
        big = c.mount / "big"
        figures = {}
        elapsed, cpu = timed(c, lambda: write_file(big, size_mib))
        figures["write_mib_s"], figures["write_cpu_s"] = size_mib / elapsed, cpu
        run("umount", c.mount)
        c.up()
        elapsed, cpu = timed(c, lambda: read_file(big))
        figures["read_mib_s"], figures["read_cpu_s"] = size_mib / elapsed, cpu

        many = c.mount / "many"
        many.mkdir()

        def create():
            for n in range(files):
                os.close(os.open(many / f"f{n}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))

        def lookup():
            for n in range(files):
                os.stat(many / f"f{n}")

        def small():
            for n in range(files):
                with open(many / f"s{n}", "wb", buffering=0) as file:
                    file.write(b"x" * 4096)

        for name, action in (("create", create), ("lookup", lookup), ("create_4k", small)):
            elapsed, cpu = timed(c, action)
            figures[f"{name}_us"], figures[f"{name}_cpu_us"] = \
                elapsed / files * 1e6, cpu / files * 1e6
        return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    results = {copies: measure(copies, arguments.size_mib, arguments.files) for copies in (1, 3)}
    for copies, figures in results.items():
        print(f"{copies} copies: " + ", ".join(f"{k} {v:.1f}" for k, v in figures.items()))
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
