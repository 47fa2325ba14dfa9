"""Metaservers come and go under load; one that lost its memory is not let in as its old self."""

import shutil

from create_loop import CreateLoop
from failover_test import SMALL, wait_for_files
from hand_made import hand_made_cluster
from harness import cluster, main, wait_until
from metaservers import a_follower, members, row_of, wait_whole

SMALL_LOG = {"segment_bytes": 64 << 10, "kept_log_bytes": 256 << 10}


def a_member_that_was_away_for_long_catches_up_under_load():
    with hand_made_cluster(raft=SMALL_LOG, mounts=2) as c:
        with CreateLoop(c.mounts[0] / "loop") as loop:
            wait_whole(c)
            away = a_follower(c)
            c.kill("meta", away)
            wait_until(lambda: needs_snapshot(c, away, loop), 300, "its entries to be forgotten")
            assert {"META_DOWN", "META_BEHIND"} & c.health_codes(), c.health()
            c.start("meta", away)
            wait_until(lambda: is_level(c, away), 120, "the member to catch up under load")
            wait_for_files(loop, 100)
            loop.finish()
        wait_whole(c)
        # What it was sent serves as well as what it saw itself.
        c.cairn("meta", "transfer-leader", row_of(c, away)["server"], "--wait")
        wait_until(lambda: c.leader() == away, 20, "it to lead")
        for mount in c.mounts:
            loop.assert_complete(mount / "loop")
        c.meta_hash()


def needs_snapshot(c, number, loop):
    """The leader has forgotten entries that the member does not have."""
    loop.count()
    row = row_of(c, number)
    return row is not None and row["needs_snapshot"]


def is_level(c, number):
    """It applies what the leader commits; under load never to the last entry."""
    rows = {row["number"]: row for row in members(c)}
    leader = next((row for row in rows.values() if row["role"] == "leader"), None)
    return leader is not None and number in rows and rows[number]["role"] == "follower" and \
        rows[number]["applied_index"] + 1000 > leader["applied_index"]


def add(c, made):
    """Takes in the metaserver at `made`'s addresses; returns when it votes."""
    c.cairn("meta", "add", made["frames"], "--grpc", made["grpc"])


def remove(c, server):
    c.cairn("meta", "remove", server)
    wait_until(lambda: server not in {row["server"] for row in members(c)}, 60,
               f"metaserver {server} to be gone")


def three_become_five_and_three_again_under_load():
    with cluster(**SMALL) as c:
        with CreateLoop(c.mount / "loop") as loop:
            wait_whole(c)
            founders = {row["server"] for row in members(c)}
            for _ in range(2):
                add(c, c.add_metaserver())
                wait_for_files(loop, 50)
            wait_whole(c, count=5)
            five = {row["server"] for row in members(c)}
            assert len(five) == 5 and founders < five, (founders, five)
            c.meta_hash()
            # Two founders go, the first is the leader of that moment.
            for _ in range(2):
                leader = c.server_id(c.leader())
                remove(c, leader if leader in founders else min(founders))
                founders &= {row["server"] for row in members(c)}
                wait_for_files(loop, 50)
            loop.finish()
        wait_whole(c)
        loop.assert_complete()
        c.meta_hash()


def an_emptied_directory_is_a_new_member():
    with cluster(**SMALL) as c:
        with CreateLoop(c.mount / "loop") as loop:
            wait_whole(c)
            number = a_follower(c)
            before = row_of(c, number)
            c.kill("meta", number)
            empty_data(c, number)
            c.start("meta", number)
            wait_for_files(loop, 100)
            # It runs, and neither votes nor follows as what it was.
            row = row_of(c, number)
            assert row["role"] == "unborn", row
            assert "META_DOWN" in c.health_codes(), c.health()
            remove(c, before["server"])
            add(c, {"frames": before["address"], "grpc": before["grpc"]})
            wait_whole(c)
            servers = {row["server"] for row in members(c)}
            assert len(servers) == 3 and before["server"] not in servers, servers
            wait_for_files(loop, 50)
            loop.finish()
        loop.assert_complete()
        c.meta_hash()


def empty_data(c, number):
    """All that the server keeps; its configuration stays."""
    for path in (c.directory / f"meta{number}").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "metaserver.toml":
            path.unlink()


if __name__ == "__main__":
    main(a_member_that_was_away_for_long_catches_up_under_load,
         three_become_five_and_three_again_under_load, an_emptied_directory_is_a_new_member)
