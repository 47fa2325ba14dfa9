"""The cluster runs full: writers hear ENOSPC, nobody else hears anything; what was synced stays,
and when files go, writing goes on. Nothing is restarted.

CAIRN_DISK_MIB is the size of each chunkserver's disk, an ext4 on a loop device. Needs root.
"""

import errno
import json
import os
import random

from fault_test import Reader, assert_equal, make_tree
from harness import cluster, main, sha256, wait_until

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))
DISK_MIB = int(os.environ.get("CAIRN_DISK_MIB", 512))
ROUNDS = int(os.environ.get("CAIRN_ROUNDS", 3))
MIB = 1 << 20
SIZES = [8 * MIB, MIB, 64 << 10, 4 << 10]


def write_synced(path, data):
    """False: there is no room. Any other error is an error."""
    try:
        with open(path, "wb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view[:MIB]):]
            os.fsync(file.fileno())
    except OSError as problem:
        assert problem.errno == errno.ENOSPC, f"{path.name}: {problem}"
        return False
    return True


def fill(directory, chance):
    """Files of ever smaller sizes until none fits: {name: sha256} of those that were synced."""
    directory.mkdir(exist_ok=True)
    digests, number = {}, 0
    for size in SIZES:
        while True:
            path = directory / f"{size}-{number}"
            number += 1
            if not write_synced(path, chance.randbytes(size)):
                path.unlink()
                break
            digests[path.name] = sha256(path)
            assert number < 10000, "it never runs full"
    return digests


def available_mib(c):
    stat = os.statvfs(c.mount)
    return stat.f_bavail * stat.f_frsize >> 20


def pids(c):
    return {name: c.pid(name) for name in c.server_names()}


def assert_undamaged(c):
    found = json.loads(c.cairn("fsck", "--json", timeout=300).stdout)
    assert not found["findings"], found
    for server in c.status()["chunkservers"]:
        assert server["up"], server
        assert not int(server.get("checksum_errors", 0)), server


def names_can_still_be_changed(c):
    (c.mount / "made-when-full").mkdir()
    (c.mount / "made-when-full").rename(c.mount / "renamed-when-full")
    (c.mount / "renamed-when-full").rmdir()


def full_is_told_and_freed_room_is_used_again():
    print(f"seed {SEED}, disks of {DISK_MIB} MiB, {ROUNDS} rounds")
    chance = random.Random(SEED)
    with cluster(chunkservers=3, copies=3) as c:
        c.give_disks(DISK_MIB)
        kept = make_tree(c.mount / "kept", files=100)
        started = pids(c)
        reader = Reader(c.mount / "kept", kept)
        reader.start()
        filled_mib = []
        for number in range(ROUNDS):
            digests = fill(c.mount / "filling", chance)
            filled_mib.append(sum(int(name.split("-")[0]) for name in digests) >> 20)
            assert available_mib(c) <= DISK_MIB // 10, available_mib(c)
            # What the last writer that was refused left behind may be free again.
            wait_until(lambda: c.health_codes() & {"FULL", "NEAR_FULL"}, 10, "health to say so")
            names_can_still_be_changed(c)
            assert_equal(c.mount / "filling", digests)
            before = available_mib(c)
            for name in digests:
                (c.mount / "filling" / name).unlink()
            wait_until(lambda: available_mib(c) >= before + filled_mib[-1] * 9 // 10, 10,
                       f"{filled_mib[-1]} MiB to be free again")
            print(f"round {number + 1}: {filled_mib[-1]} MiB were written", flush=True)
        assert min(filled_mib) >= max(filled_mib) * 9 // 10, filled_mib
        (c.mount / "after").write_bytes(b"x" * MIB)
        reader.finish()
        assert_equal(c.mount / "kept", kept)
        assert pids(c) == started, "a server was restarted"
        c.wait_healthy(30)
        assert_undamaged(c)


if __name__ == "__main__":
    main(full_is_told_and_freed_room_is_used_again)
