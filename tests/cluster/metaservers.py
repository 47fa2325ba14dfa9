"""The group of metaservers, as a test looks at it from outside."""

import json

from harness import wait_until


def members(cluster):
    """Rows of `cairn meta ls`, those in the group, each with `number`, that of its process. None
    at all while nobody answers."""
    listed = cluster.cairn("meta", "ls", "--json", check=False)
    if listed.returncode != 0:
        return []
    numbers = cluster.metaserver_numbers()
    rows = [row for row in json.loads(listed.stdout)["members"] if row["part"]]
    return [row | {"number": numbers.get(row["grpc"])} for row in rows]


def leader_and_term(cluster, but=None):
    """(number, term) of the newest leader, `but` set aside; None while there is none. A deposed one
    that does not know it yet has an older term."""
    leading = [(row["term"], row["number"]) for row in members(cluster)
               if row["role"] == "leader" and row["number"] != but]
    if not leading:
        return None
    term, number = max(leading)
    return number, term


def is_whole(cluster, count=3):
    """All lead or follow, exactly one leads, in one term."""
    rows = members(cluster)
    roles = sorted(row["role"] for row in rows)
    return roles == ["follower"] * (count - 1) + ["leader"] and \
        len({row["term"] for row in rows}) == 1


def wait_whole(cluster, count=3, seconds=60):
    wait_until(lambda: is_whole(cluster, count), seconds, f"{count} metaservers to be a group")


def a_follower(cluster):
    """The number of one."""
    leader = cluster.leader()
    return next(row["number"] for row in members(cluster) if row["number"] != leader)


def row_of(cluster, number):
    """Of the process `number`, if it is in the group; else None."""
    return next((row for row in members(cluster) if row["number"] == number), None)
