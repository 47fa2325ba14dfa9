"""What a mount wrote past the committed size goes with it when it dies (rule L5)."""

import os

from harness import cluster, main, wait_until

LOST = b"of a mount that is dead "


def stored_in(c):
    """How many chunk files hold bytes of the dead mount."""
    files = [path for number in (1, 2, 3) for path in c.chunk_files(number)]
    return sum(LOST in path.read_bytes() for path in files if path.exists())


def append_and_die_before_the_commit(c, path):
    """Three copies have the bytes, no metaserver has the size."""
    with open(path, "ab", buffering=0) as file:
        file.write(b"first")
        os.fsync(file.fileno())  # the append is announced, and stays so while the file is open
        # Killed, not paused: a commit in a socket's buffer would be taken later.
        for number in (1, 2, 3):
            c.kill("meta", number)
        file.write(LOST * 4000)
        wait_until(lambda: stored_in(c) == 3, 3, "the data to be on all chunkservers")
        c.kill("client", 1)
        try:
            file.close()
        except OSError:
            pass
    for number in (1, 2, 3):
        c.start("meta", number)
    c.leader()


def bytes_of_a_dead_mount_do_not_come_back():
    with cluster(mounts=2) as c:
        mine, other = (mount / "file" for mount in c.mounts)
        other.write_bytes(b"old ")
        wait_until(lambda: mine.exists() and mine.stat().st_size == 4, 10, "the file to be there")
        append_and_die_before_the_commit(c, mine)
        assert other.stat().st_size == 9
        # Its session ends after 30 s of silence; then the file is cut, and what was cut trimmed.
        wait_until(lambda: stored_in(c) == 0, 90, "the dead mount's bytes to be trimmed")
        with open(other, "r+b") as file:
            file.truncate(200_000)
        expected = b"old first" + bytes(200_000 - 9)
        assert other.read_bytes() == expected
        with open(other, "ab") as file:
            file.write(b"end")
        assert other.read_bytes() == expected + b"end"


def a_new_file_of_a_dead_mount_leaves_no_chunks():
    with cluster(mounts=2) as c:
        path = c.mounts[0] / "new"
        warm = c.mounts[0] / "warm"
        warm.write_bytes(b"x" * 5_000_000)  # the map is known from here on
        append_and_die_before_the_commit(c, path)
        assert (c.mounts[1] / "new").stat().st_size == 5
        wait_until(lambda: stored_in(c) == 0, 90, "the dead mount's bytes to be trimmed")
        assert (c.mounts[1] / "new").read_bytes() == b"first"


if __name__ == "__main__":
    main(bytes_of_a_dead_mount_do_not_come_back, a_new_file_of_a_dead_mount_leaves_no_chunks)
