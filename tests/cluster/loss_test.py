"""A server is gone for good with the only copies of something: nothing is given up unless that is
spelled out, what is lost is an error and listed, and everything else goes on."""

import errno
import json
import os
import re

from fault_test import assert_equal, make_tree
from harness import cluster, main, wait_until
from repair_test import server_id


def digests_by_fate(c, digests):
    """({name: digest} that can be read, {names that are EIO}), through the mount that has not read
    them before."""
    whole, lost = {}, set()
    for name, digest in digests.items():
        try:
            (c.mounts[1] / "tree" / name).read_bytes()
            whole[name] = digest
        except OSError as problem:
            assert problem.errno == errno.EIO, f"{name}: {problem}"
            lost.add(name)
    return whole, lost


def is_known(c, server):
    return any(s["server"] == server for s in c.status()["chunkservers"])


def a_server_with_the_only_copies_is_given_up():
    with cluster(chunkservers=3, copies=1, mounts=2) as c:
        digests = make_tree(c.mount / "tree", files=150)
        os.sync()
        server = server_id(c, 2)
        c.kill("chunk", 2)
        wait_until(lambda: "CHUNKSERVER_DOWN" in c.health_codes(), 30, "the loss to be seen")
        refused = c.cairn("server", "remove", server, check=False)
        assert refused.returncode != 0 and is_known(c, server), refused.stdout
        groups = int(re.search(r"--give-up (\d+)", refused.stderr).group(1))
        wrong = c.cairn("server", "remove", server, "--give-up", groups + 1, check=False)
        assert wrong.returncode != 0 and is_known(c, server), wrong.stdout
        removed = json.loads(
            c.cairn("server", "remove", server, "--give-up", groups, "--json").stdout)
        assert removed["lost_groups"] == groups, removed
        whole, lost = digests_by_fate(c, digests)
        assert whole and lost, (len(whole), len(lost))
        print(f"{len(lost)} of {len(digests)} files are lost with {groups} groups")
        assert_equal(c.mount / "tree", whole)
        listed = json.loads(c.cairn("fsck", "--json", check=False, timeout=300).stdout)
        paths = {f["path"].rpartition("/")[2] for f in listed["findings"] if f["code"] == "LOST"}
        assert paths == {name.rpartition("/")[2] for name in lost}, paths ^ lost
        assert "LOST" in c.health_codes()
        fresh = make_tree(c.mount / "fresh", files=150)
        assert_equal(c.mount / "fresh", fresh)
        for name in lost:
            (c.mount / "tree" / name).unlink()
        listed = json.loads(c.cairn("fsck", "--json", check=False, timeout=300).stdout)
        assert not [f for f in listed["findings"] if f["code"] == "LOST"], listed
        assert_equal(c.mount / "tree", whole)


if __name__ == "__main__":
    main(a_server_with_the_only_copies_is_given_up)
