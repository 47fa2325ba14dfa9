"""Chunkservers are lost, drained and brought back under load: the data heals, and nobody sees it.

CAIRN_FILES and CAIRN_BIG_MIB set the size of the data; the defaults are small.
"""

import os
import time
import tomllib

from create_loop import FioLoop
from fault_test import Reader, assert_equal, make_tree
from harness import cluster, main, run, sha256, wait_until

FILES = int(os.environ.get("CAIRN_FILES", 600))
BIG_MIB = int(os.environ.get("CAIRN_BIG_MIB", 128))
REPAIR_SECONDS = int(os.environ.get("CAIRN_REPAIR_SECONDS", 300))


def fill(c):
    """A tree and one big file in the mount; answers {path: sha256} of all of it."""
    source = c.root / "source"
    digests = make_tree(source, files=FILES)
    run("cp", "-a", source, c.mount / "tree", timeout=1200)
    big = c.mount / "tree" / "big"
    run("dd", "if=/dev/urandom", f"of={big}", "bs=1M", f"count={BIG_MIB}", "conv=fsync",
        timeout=1200)
    digests["big"] = sha256(big)
    return digests


def groups_of(c, number):
    """How many groups name the chunkserver."""
    for server in c.status()["chunkservers"]:
        if server["server"] == number:
            return server["active_groups"] + server["syncing_groups"]
    return 0


def server_id(c, number):
    """The cluster's id of chunkserver process `number`."""
    config = tomllib.loads((c.directory / f"chunk{number}" / "chunkserver.toml").read_text())
    port = config["listen"].rpartition(":")[2]
    return next(server["server"] for server in c.status()["chunkservers"]
                if str(server["frames"]["port"]) == port)


def is_whole(c):
    status = c.status()
    return status["groups"] and status["full_groups"] == status["groups"] and not any(
        server["syncing_groups"] for server in status["chunkservers"])


def wait_whole(c, what):
    started = time.monotonic()
    wait_until(lambda: is_whole(c), REPAIR_SECONDS, what)
    return time.monotonic() - started


def three_of_five_die_one_after_another():
    with cluster(chunkservers=5, copies=3) as c:
        digests = fill(c)
        reader = Reader(c.mount / "tree", digests)
        reader.start()
        with FioLoop(c.mount / "fio") as fio:
            for victim in (1, 2):
                c.kill("chunk", victim)
                wait_until(lambda: "UNDER_REPLICATED" in c.health_codes(), 30,
                           "the loss to be seen")
                seconds = wait_whole(c, f"all copies without chunkserver {victim}")
                print(f"chunkserver {victim} lost: all copies are back after {seconds:.1f} s")
            c.kill("chunk", 3)
            wait_until(lambda: "UNDER_REPLICATED" in c.health_codes(), 30, "the loss to be seen")
            # Once the grace time is over.
            wait_until(lambda: any("3 copies need 3 chunkservers" in item["text"]
                                   for item in c.health() if item["code"] == "UNDER_REPLICATED"),
                       60, "cairn health to say why a third copy is possible nowhere")
            assert_equal(c.mount / "tree", digests)
            (c.mount / "written-at-two").write_bytes(b"x" * 100_000)
            assert (c.mount / "written-at-two").read_bytes() == b"x" * 100_000
            for number in (1, 2, 3):
                c.start("chunk", number)
            seconds = wait_whole(c, "all copies and balance after all are back")
            print(f"all started again: whole after {seconds:.1f} s")
            assert fio.finish() >= 1
        reader.finish()
        assert reader.passes > 0
        wait_balanced(c)
        assert_equal(c.mount / "tree", digests)


def wait_balanced(c):
    """Each server keeps its share of the groups, and no bytes of others."""
    def balanced():
        counts = [server["active_groups"] for server in c.status()["chunkservers"]]
        return max(counts) - min(counts) <= 2 and is_whole(c)
    wait_until(balanced, REPAIR_SECONDS, "the groups to be spread evenly")
    servers = range(1, len(c.status()["chunkservers"]) + 1)
    expected = 3 * chunk_count(c)
    wait_until(lambda: sum(len(c.chunk_files(n)) for n in servers) == expected, 120,
               f"{expected} chunk files, not more")


def chunk_count(c):
    """Chunks of all files in the mount: 16 MiB each."""
    total = 0
    for path in c.mount.rglob("*"):
        if path.is_file():
            total += -(-path.stat().st_size // (16 << 20))
    return total


def a_server_is_drained_under_load():
    with cluster(chunkservers=4, copies=3) as c:
        digests = fill(c)
        reader = Reader(c.mount / "tree", digests)
        reader.start()
        server = server_id(c, 2)
        with FioLoop(c.mount / "fio") as fio:
            c.cairn("server", "drain", server, "--wait", timeout=REPAIR_SECONDS)
            assert groups_of(c, server) == 0
            wait_until(lambda: not c.chunk_files(2), 60, "no chunk to be left on the server")
            fio.finish()
        reader.finish()
        assert_equal(c.mount / "tree", digests)
        c.cairn("server", "remove", server)
        assert all(s["server"] != server for s in c.status()["chunkservers"])


def a_lost_server_is_replaced_and_comes_back():
    with cluster(chunkservers=4, copies=3) as c:
        digests = make_tree(c.mount / "tree", files=60)
        c.kill("chunk", 1)
        wait_until(lambda: "CHUNKSERVER_DOWN" in c.health_codes(), 30, "the loss to be seen")
        c.cairn("repair", "now")
        wait_whole(c, "all copies on the other three")
        assert_equal(c.mount / "tree", digests)
        c.start("chunk", 1)
        wait_until(lambda: len([s for s in c.status()["chunkservers"] if s["up"]]) == 4, 30,
                   "it to be back")
        wait_balanced(c)
        assert_equal(c.mount / "tree", digests)


if __name__ == "__main__":
    main(a_lost_server_is_replaced_and_comes_back, a_server_is_drained_under_load,
         three_of_five_die_one_after_another)
