"""Directories with copies and chunk sizes of their own, in a cluster that gives three copies."""

import contextlib
import errno
import json
import os
import time

from harness import cluster, main, run, sha256, wait_until
from repair_test import server_id

MIB = 1 << 20


def layout(c, verb, directory, *words, check=True):
    return c.cairn("layout", verb, directory, *words, check=check)


def where(c, path):
    return json.loads(c.cairn("where", path, "--json").stdout)


def members(c, path):
    """The servers of each chunk of a file."""
    return [{member["server"] for member in chunk["members"]}
            for chunk in where(c, path)["chunks"]]


def make_directories(c):
    """{copies: directory}: one copy in chunks of 1 MiB, two copies, and what the cluster gives."""
    made = {copies: c.mount / name for copies, name in ((1, "one"), (2, "two"), (3, "default"))}
    for directory in made.values():
        directory.mkdir()
    layout(c, "set", made[1], "--copies", 1, "--chunk-size", "1M")
    layout(c, "set", made[2], "--copies", 2)
    return made


def write(path, size):
    """Random bytes that are safe on return; answers their digest."""
    path.write_bytes(os.urandom(size))
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    return sha256(path)


def room(c):
    space = os.statvfs(c.mount)
    return space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize


@contextlib.contextmanager
def impatient_mount(c):
    """Another mount, which has cached nothing and gives up after 3 s."""
    point = c.root / "impatient"
    point.mkdir()
    c.cairn("mount", point, "-o", "timeout=3s")
    try:
        yield point
    finally:
        run("umount", "-l", point)


def a_directory_decides_for_what_is_made_in_it():
    with cluster() as c:
        (c.mount / "before").mkdir()
        write(c.mount / "before/old", 3 * MIB)
        total, _ = room(c)
        made = make_directories(c)
        (made[1] / "sub").mkdir()
        layout(c, "set", c.mount / "before", "--copies", 2)
        for path, copies, chunk in ((made[1] / "file", 1, MIB), (made[1] / "sub/file", 1, MIB),
                                    (made[2] / "file", 2, 16 * MIB),
                                    (made[3] / "file", 3, 16 * MIB),
                                    (c.mount / "before/new", 2, 16 * MIB)):
            write(path, 3 * MIB)
            told = where(c, path)
            assert (told["copies"], told["layout"]["chunk_size"]) == (copies, chunk), (path, told)
            assert len(told["chunks"]) == -(-3 * MIB // chunk), (path, told)
            assert all(len(chunk) == copies for chunk in members(c, path)), (path, told)
        assert where(c, c.mount / "before/old")["copies"] == 3
        # Whoever moves or is linked keeps what it has; a copy is a new file.
        os.rename(c.mount / "before/old", made[1] / "moved")
        os.link(made[2] / "file", made[1] / "linked")
        run("cp", made[2] / "file", made[1] / "copied")
        assert [where(c, made[1] / name)["copies"] for name in ("moved", "linked", "copied")] == \
            [3, 2, 1]
        pools = {pool["copies"]: pool["group_count"] for pool in c.status()["pools"]}
        assert pools == {3: 64, 1: 192, 2: 96}, pools
        assert c.health_codes() == set(), c.health()
        assert room(c)[0] == total  # as the default pool's files would find it
        assert "1 copy, chunks of 1.0 MiB" in layout(c, "show", made[1] / "sub").stdout
        layout(c, "set", made[1], "--inherit")
        assert "what the cluster gives" in layout(c, "show", made[1]).stdout
        write(made[1] / "after", MIB)
        assert where(c, made[1] / "after")["copies"] == 3
        assert where(c, made[1] / "sub")["copies"] == 1


def what_makes_no_sense_is_refused():
    with cluster(chunkservers=2, copies=2) as c:
        (c.mount / "file").write_text("text")
        (c.mount / "link").symlink_to(".")
        for words, cause in (
                ((c.mount / "file", "--copies", 1), "is a file, not a directory"),
                ((c.mount / "link", "--copies", 1), "is a symbolic link, not a directory"),
                ((c.root, "--copies", 1), "is not on a Cairn mount"),
                ((c.mount / "nothing", "--copies", 1), "No such file"),
                ((c.mount, "--copies", 3), "3 copies need 3 chunkservers, 2 are in service"),
                ((c.mount, "--copies", 0), "--copies"),
                ((c.mount, "--chunk-size", "3M"), "a power of two from 1M to 64M"),
                ((c.mount, "--chunk-size", "128M"), "a power of two from 1M to 64M"),
                ((c.mount, "--chunk-size", "512K"), "a power of two from 1M to 64M"),
                ((c.mount, "--chunk-size", "16"), "is no size"),
                ((c.mount, "--copies", 1, "--inherit"), "--inherit alone"),
                ((c.mount,), "--inherit alone")):
            refused = layout(c, "set", *words, check=False)
            assert refused.returncode != 0 and cause in refused.stderr, (words, refused)
        assert "what the cluster gives" in layout(c, "show", c.mount).stdout
        assert len(c.status()["pools"]) == 1


def two_copies_outlive_a_server_and_one_copy_waits_for_it():
    with cluster() as c:
        made = make_directories(c)
        digests = {made[copies] / str(n): write(made[copies] / str(n), 3 * MIB)
                   for copies in made for n in range(4)}
        victim = server_id(c, 1)
        lost = {path for path in digests if {victim} in members(c, path)}
        assert lost and all(path.parent == made[1] for path in lost), lost
        with impatient_mount(c) as point:
            c.kill("chunk", 1)
            wait_until(lambda: "LOST" in c.health_codes(), 30, "the loss to be seen")
            wait_until(lambda: all(int(group["epoch"]) > 1 for path in digests
                                   if path.parent == made[2]
                                   for group in where(c, path)["chunks"]
                                   if victim in {m["server"] for m in group["members"]}),
                       30, "its other groups to go on")
            for path, digest in digests.items():
                started = time.monotonic()
                try:
                    assert sha256(point / path.relative_to(c.mount)) == digest, path
                    assert path not in lost, f"{path} has a chunk on a dead server"
                except OSError as error:
                    assert path in lost, f"{path}: {error}"
                    assert error.errno in (errno.EIO, errno.ETIMEDOUT), error
                assert time.monotonic() - started < 10, path
            write(made[2] / "goes-on", MIB)
            write(made[3] / "goes-on", MIB)
            c.start("chunk", 1)
            wait_until(lambda: "LOST" not in c.health_codes(), 30, "it to be back")
            for path, digest in digests.items():
                assert sha256(point / path.relative_to(c.mount)) == digest, path
        c.wait_healthy(120)


def change_both(paths, change):
    """The same is done to a file in the mount and to one beside it, and both are equal."""
    for path in paths:
        with open(path, "r+b") as file:
            change(file)
            file.flush()
            os.fsync(file.fileno())
    assert sha256(paths[0]) == sha256(paths[1])


def a_file_in_chunks_of(size, length):
    with cluster() as c:
        directory = c.mount / "directory"
        directory.mkdir()
        layout(c, "set", directory, "--copies", 1, "--chunk-size", f"{size // MIB}M")
        _, before = room(c)
        pair = (directory / "file", c.root / "model")
        data = os.urandom(length)
        for path in pair:
            path.write_bytes(data)
        change_both(pair, lambda file: None)
        sizes = [path.stat().st_size for n in (1, 2, 3) for path in c.chunk_files(n)]
        assert max(sizes) == size and len(sizes) == -(-length // size), sizes

        def over_a_border(file):
            file.seek(size - 1000)
            file.write(b"border" * 500)

        def past_the_end(file):
            file.seek(length + size + 12345)  # leaves a hole of more than a chunk
            file.write(b"end")
        change_both(pair, over_a_border)
        change_both(pair, past_the_end)
        change_both(pair, lambda file: file.truncate(size + size // 2 + 7))
        change_both(pair, lambda file: file.truncate(3 * size))
        change_both(pair, lambda file: file.truncate(size))
        with impatient_mount(c) as point:
            assert sha256(point / "directory/file") == sha256(pair[1])
        written = [chunk["written"] for chunk in where(c, pair[0])["chunks"]]
        assert written == [True], written
        assert room(c)[1] < before
        os.unlink(pair[0])
        wait_until(lambda: not any(c.chunk_files(n) for n in (1, 2, 3)), 30,
                   "the chunks to be removed")


def chunks_of_1_mib():
    a_file_in_chunks_of(MIB, 5 * MIB + 4321)


def chunks_of_64_mib():
    a_file_in_chunks_of(64 * MIB, 130 * MIB + 4321)


if __name__ == "__main__":
    main(a_directory_decides_for_what_is_made_in_it, what_makes_no_sense_is_refused,
         two_copies_outlive_a_server_and_one_copy_waits_for_it, chunks_of_1_mib, chunks_of_64_mib)
