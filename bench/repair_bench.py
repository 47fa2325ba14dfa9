#!/usr/bin/env python3
"""Measures a repair without and with clients, and what bare copying reaches on the same machine.

  bench/repair_bench.py [--size-mib 4096] [--files 0] [--rounds 3] [--losses 1] [--throttled]
                        [--samples] [--json FILE]

Per round, interleaved: the bare copy (a file read with 1 MiB reads, sent over a loopback socket,
written and fdatasynced by the other side; after the grace time, as the repair: where a virtual
machine gives memory that rests back to its host, getting it again costs both the same), then the
loss of one of four chunkservers at three copies: seconds from the loss to the first copied byte
and to the last, MiB/s while it copies, and how far the time left that was told was off, from a
tenth on. The grace time is part of the first figure. With --throttled a client reads now and then,
so that the throttle holds and a repair of few bytes takes long; the grace time is skipped. With
--files so many files of 8 KiB are there too: a repair that takes long without a throttle.
With --losses so many servers are lost one after the other on the same data, each back and in
balance before the next. --samples prints what was told, and what was true.
"""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/cluster"))
from harness import cluster, wait_until  # noqa: E402

MIB = 1 << 20
GRACE_SECONDS = 30


def write_file(path, size_mib):
    block = os.urandom(MIB)
    with open(path, "wb", buffering=0) as file:
        for _ in range(size_mib):
            file.write(block)
        os.fsync(file.fileno())


def write_small_files(directory, count):
    directory.mkdir()
    data = os.urandom(8192)
    for folder in range(0, count, 1000):
        (directory / str(folder)).mkdir()

    def write(numbers):
        for number in numbers:
            name = directory / str(number // 1000 * 1000) / str(number)
            with open(name, "wb", buffering=0) as file:
                file.write(data)

    writers = [threading.Thread(target=write, args=(range(first, count, 8),)) for first in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def bare_copy(directory, size_mib, rest=0):
    """MiB/s of dd plus a socket: cold source, durable target, memory that rested for so long."""
    source, target = directory / "bare-source", directory / "bare-target"
    write_file(source, size_mib)
    with open(source, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    time.sleep(rest)
    listener = socket.create_server(("127.0.0.1", 0))

    def receive():
        connection, _ = listener.accept()
        buffer = bytearray(MIB)
        with connection, open(target, "wb", buffering=0) as file:
            while count := connection.recv_into(buffer):
                file.write(memoryview(buffer)[:count])
            os.fdatasync(file.fileno())

    receiver = threading.Thread(target=receive)
    receiver.start()
    started = time.perf_counter()
    with socket.create_connection(listener.getsockname()) as sender, \
            open(source, "rb", buffering=0) as file:
        buffer = bytearray(MIB)
        while count := file.readinto(buffer):
            sender.sendall(memoryview(buffer)[:count])
    receiver.join()
    elapsed = time.perf_counter() - started
    source.unlink()
    target.unlink()
    return size_mib / elapsed


def watch_repair(c, lost_at, earlier):
    """Samples the record that follows `earlier` until all copies are back."""
    samples = []
    while True:
        repair = c.status().get("repair") or {}
        if repair.get("started") == earlier.get("started"):
            repair = {}
        done, total = int(repair.get("done_bytes", 0)), int(repair.get("total_bytes", 0))
        if repair.get("ended") and samples:
            return samples, repair
        if total:
            samples.append((time.monotonic() - lost_at, done, total,
                            int(repair.get("seconds_left", 0))))
        time.sleep(0.5)


def judge(samples, repair):
    first = next((at for at, done, _, _ in samples if done > 0), samples[-1][0])
    end = samples[-1][0]
    final_total = samples[-1][2]
    rates = final_total / MIB / max(end - first, 0.001)
    told = [(left, end - at) for at, done, total, left in samples
            if left and done > 0.1 * total and end - at > 2]
    good = [abs(left - really) <= 0.2 * really for left, really in told]
    return {"first_byte_s": first, "end_s": end, "repair_mib_s": rates,
            "mib": int(repair.get("done_bytes", 0)) / MIB,
            "eta_samples": len(good), "eta_within_20_percent": sum(good) / max(len(good), 1)}


@contextlib.contextmanager
def light_client(path):
    ends = threading.Event()

    def read():
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            while not ends.wait(0.02):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                os.pread(file.fileno(), 4096, int.from_bytes(os.urandom(5)) % size)

    reader = threading.Thread(target=read)
    reader.start()
    yield
    ends.set()
    reader.join()


def lose_server(c, number, options, bare_mib_s):
    earlier = c.status().get("repair") or {}
    lost_at = time.monotonic()
    c.kill("chunk", number)
    wait_until(lambda: "UNDER_REPLICATED" in c.health_codes(), 30, "the loss to be seen")
    with light_client(c.mount / "big") if options.throttled else contextlib.nullcontext():
        if options.throttled:
            c.cairn("repair", "now")
        samples, repair = watch_repair(c, lost_at, earlier)
    if options.samples:
        for at, done, total, left in samples:
            print(f"{at:6.1f} s: {done / MIB:.0f} of {total / MIB:.0f} MiB, "
                  f"{left} s left, really {samples[-1][0] - at:.1f}")
    figures = {"bare_mib_s": bare_mib_s, **judge(samples, repair)}
    figures["ratio"] = figures["repair_mib_s"] / figures["bare_mib_s"]
    return figures


def is_balanced(c):
    status = c.status()
    servers = status["chunkservers"]
    counts = [server["active_groups"] for server in servers]
    syncing = any(server["syncing_groups"] for server in servers)
    rests = not syncing and status["repair"].get("ended")
    return rests and max(counts) - min(counts) <= 2 and not c.health_codes()


def one_round(options):
    with cluster(chunkservers=4, copies=3) as c:
        write_file(c.mount / "big", options.size_mib)
        write_small_files(c.mount / "small", options.files)
        bare_mib_s = bare_copy(c.root, max(options.size_mib, 512),
                               rest=0 if options.throttled else GRACE_SECONDS)
        for loss in range(options.losses):
            number = 2 + loss % 3
            yield lose_server(c, number, options, bare_mib_s)
            if loss + 1 < options.losses:
                c.start("chunk", number)
                wait_until(lambda: is_balanced(c), 600, "the cluster to be well again")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-mib", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--losses", type=int, default=1)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--throttled", action="store_true")
    parser.add_argument("--samples", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    rounds = []
    for number in range(options.rounds):
        for figures in one_round(options):
            rounds.append(figures)
            print(f"round {number + 1}: " + "  ".join(f"{k} {v:.4g}" for k, v in figures.items()),
                  flush=True)
    medians = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    print("median:  " + "  ".join(f"{k} {v:.4g}" for k, v in medians.items()))
    if options.json:
        options.json.write_text(json.dumps({"rounds": rounds, "median": medians}, indent=1))


if __name__ == "__main__":
    main()
