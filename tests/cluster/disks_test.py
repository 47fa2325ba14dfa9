"""Chunkservers with several disks: copies, one disk that fails, a drain, a killed process."""

import collections
import contextlib
import fcntl
import json
import os
import re
import shutil
import struct

from fault_test import Reader, assert_equal, make_tree
from harness import cluster, main, run, wait_until

# ext4's ioctl that makes a file system answer EIO to everything, as a disk that died.
EXT4_SHUTDOWN = 0x8004587D
WITHOUT_FLUSH = 2


def disks(c):
    """{id: what `cairn disk ls` tells of it}"""
    return {disk["server"]: disk for disk in json.loads(c.cairn("disk", "ls", "--json").stdout)}


def chunkserver_of(c, number):
    """The chunkserver that is process `number`, by its port."""
    port = int(re.search(rf"^\[chunk{number}\]\nframes = (\d+)$",
                         (c.directory / "cluster.toml").read_text(), re.M).group(1))
    found = {server["chunkserver"] for server in c.status()["chunkservers"]
             if server["frames"]["port"] == port}
    assert len(found) == 1, c.status()["chunkservers"]
    return found.pop()


def members_of_groups(c, paths):
    """{group: ids of the disks with an active copy}, of the chunks of some files"""
    groups = collections.defaultdict(set)
    for path in paths:
        for chunk in json.loads(c.cairn("where", path, "--json").stdout)["chunks"]:
            groups[chunk["group"]] |= {member["server"] for member in chunk["members"]
                                       if member["state"] == "MEMBER_ACTIVE"}
    return groups


def nearest(c, digests, copies):
    """The fewest processes that a group of so many copies lies in; 0 while one lacks a copy."""
    known = disks(c)
    groups = members_of_groups(c, [c.mount / "tree" / name for name in list(digests)[:40]])
    assert groups
    if any(len(members) != copies for members in groups.values()):
        return 0
    return min(len({known[member]["chunkserver"] for member in members})
               for members in groups.values())


def wait_apart(c, digests, processes, copies):
    """Every group has its copies on so many disks, in so many processes. A repair that finds the
    best place busy takes another one first and moves on from there."""
    wait_until(lambda: nearest(c, digests, copies) == processes, 60,
               f"{copies} copies of each group in {processes} processes")


@contextlib.contextmanager
def disk_of_its_own(c, number, disk):
    """Disk `disk` of process `number` becomes a file system that can be broken: it is stopped,
    moved there and started again. Answers a function that breaks it."""
    place = c.directory / f"chunk{number}" / f"disk{disk}"
    before = place.with_name("before")
    image = c.root / f"chunk{number}-disk{disk}.img"
    c.stop("chunk", number)
    place.rename(before)
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(2 << 30)
    run("mkfs.ext4", "-q", "-F", image)
    run("mount", "-o", "loop", image, place)
    try:
        for path in before.iterdir():
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, place / path.name)
        shutil.rmtree(before)
        c.start("chunk", number)

        def break_it():
            descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.ioctl(descriptor, EXT4_SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
            os.close(descriptor)
        yield break_it
    finally:
        run("umount", "-l", place, check=False)


def copies_lie_in_different_processes_and_a_disk_may_fail_alone():
    with cluster(chunkservers=3, copies=3, disks=2) as c:
        digests = make_tree(c.mount / "tree", files=120)
        wait_apart(c, digests, processes=3, copies=3)
        with disk_of_its_own(c, 1, 2) as break_it:
            c.wait_healthy()
            whole = chunkserver_of(c, 1)
            place = c.directory / "chunk1/disk2"
            identity = (place / "identity").read_text()
            failing = int(re.search(r"^server (\d+)$", identity, re.M).group(1))
            pid = c.pid("chunk1")
            reader = Reader(c.mount / "tree", digests)
            reader.start()
            break_it()
            # Somebody must touch it: writes go on without a word of error.
            assert_equal(c.mount / "tree", digests)
            more = make_tree(c.mount / "more", files=60, seed=7)
            wait_until(lambda: "DISK_DOWN" in c.health_codes(), 60, "DISK_DOWN")
            item = next(item for item in c.health() if item["code"] == "DISK_DOWN")
            assert item["subject"] == f"disk {failing} of chunkserver {whole}", item
            assert "CHUNKSERVER_DOWN" not in c.health_codes(), c.health()
            assert c.pid("chunk1") == pid, "the process ended with its disk"
            down = {id for id, disk in disks(c).items() if not disk["up"]}
            assert down == {failing}, disks(c)
            c.cairn("repair", "now")
            c.wait_healthy(ignore={"DISK_DOWN"})
            reader.finish()
            assert reader.passes > 0
            assert_equal(c.mount / "tree", digests)
            assert_equal(c.mount / "more", more)
            wait_apart(c, digests, processes=3, copies=3)
            # The process starts again without it, and keeps its number.
            c.kill("chunk", 1)
            c.start("chunk", 1)
            c.wait_healthy(ignore={"DISK_DOWN"})
            assert chunkserver_of(c, 1) == whole
            c.cairn("disk", "remove", failing)
            c.wait_healthy()
            assert_equal(c.mount / "tree", digests)


def chunkservers_may_have_different_numbers_of_disks():
    with cluster(chunkservers=3, copies=3, disks=2) as c:
        digests = make_tree(c.mount / "tree", files=80)
        whole = chunkserver_of(c, 3)
        other = next(id for id, disk in disks(c).items()
                     if disk["chunkserver"] == whole and id != whole)
        # The one that gave the chunkserver its number leaves: its process goes on with the other.
        c.cairn("disk", "drain", whole, "--wait", timeout=300)
        wait_apart(c, digests, processes=3, copies=3)
        c.cairn("disk", "remove", whole)
        c.wait_healthy()
        assert disks(c)[other]["up"], disks(c)
        assert_equal(c.mount / "tree", digests)
        c.stop("chunk", 3)
        c.start("chunk", 3)
        wait_until(lambda: disks(c)[other]["up"], 30, "the disk that stayed to be back")
        c.wait_healthy()
        assert disks(c)[other]["chunkserver"] == other, disks(c)
        more = make_tree(c.mount / "more", files=60, seed=5)
        wait_apart(c, digests, processes=3, copies=3)
        assert_equal(c.mount / "tree", digests)
        assert_equal(c.mount / "more", more)


def a_drained_chunkserver_ends_with_two_empty_disks():
    with cluster(chunkservers=4, copies=3, disks=2) as c:
        digests = make_tree(c.mount / "tree", files=80)
        whole = chunkserver_of(c, 2)
        mine = {id for id, disk in disks(c).items() if disk["chunkserver"] == whole}
        assert len(mine) == 2
        c.cairn("server", "drain", whole, "--wait", timeout=300)
        assert all(disks(c)[id]["groups"] == 0 for id in mine), disks(c)
        wait_apart(c, digests, processes=3, copies=3)
        wait_until(lambda: not c.chunk_files(2), 60, "no chunk to be left on its disks")
        c.cairn("server", "remove", whole)
        assert not mine & set(disks(c))
        assert_equal(c.mount / "tree", digests)


def a_killed_process_takes_all_its_disks_with_it():
    with cluster(chunkservers=4, copies=3, disks=2) as c:
        digests = make_tree(c.mount / "tree", files=60)
        whole = chunkserver_of(c, 3)
        c.kill("chunk", 3)
        wait_until(lambda: "CHUNKSERVER_DOWN" in c.health_codes(), 30, "CHUNKSERVER_DOWN")
        items = [item for item in c.health() if item["code"] == "CHUNKSERVER_DOWN"]
        assert [item["subject"] for item in items] == [f"chunkserver {whole}"], items
        assert "2 disks" in items[0]["text"], items
        assert "DISK_DOWN" not in c.health_codes(), c.health()
        assert_equal(c.mount / "tree", digests)
        c.start("chunk", 3)
        c.wait_healthy()
        assert chunkserver_of(c, 3) == whole
        assert_equal(c.mount / "tree", digests)


def three_disks_of_one_process_keep_three_copies():
    with cluster(chunkservers=1, copies=3, disks=3, meta=1) as c:
        digests = make_tree(c.mount / "tree", files=40)
        wait_apart(c, digests, processes=1, copies=3)
        c.kill("chunk", 1)
        c.start("chunk", 1)
        c.wait_healthy()
        assert_equal(c.mount / "tree", digests)


if __name__ == "__main__":
    main(copies_lie_in_different_processes_and_a_disk_may_fail_alone,
         chunkservers_may_have_different_numbers_of_disks,
         a_drained_chunkserver_ends_with_two_empty_disks,
         a_killed_process_takes_all_its_disks_with_it,
         three_disks_of_one_process_keep_three_copies)
