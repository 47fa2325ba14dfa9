"""A disk that fills up: ENOSPC is told by the write that found no room (DESIGN 6.8)."""

import contextlib
import errno
import os
import tempfile

from harness import cluster, main, run, wait_until

PIECE = bytes(1 << 20)


@contextlib.contextmanager
def small_disk(size):
    root = tempfile.mkdtemp(prefix="cairn-disk-", dir="/tmp")
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", root)
    os.environ["CAIRN_TEST_ROOT"] = root
    try:
        yield
    finally:
        del os.environ["CAIRN_TEST_ROOT"]
        run("umount", "-l", root, check=False)
        os.rmdir(root)


def write_until_full(file):
    """The pieces that were written before write(2) itself failed."""
    pieces = 0
    while True:
        try:
            assert os.write(file, PIECE) == len(PIECE)
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            return pieces
        pieces += 1


def the_write_that_finds_no_room_says_so():
    with small_disk("1200m"), cluster(meta=1, chunkservers=1, copies=1) as c:
        file = os.open(c.mount / "big", os.O_CREAT | os.O_WRONLY)
        pieces = write_until_full(file)
        assert pieces > 300, pieces
        wait_until(lambda: c.health_codes() & {"FULL", "NEAR_FULL"}, 10, "health to say so")
        os.fsync(file)  # what was acknowledged is there, and nobody is told twice
        os.close(file)
        assert (c.mount / "big").stat().st_size == pieces << 20
        (c.mount / "big").unlink()
        wait_until(lambda: not c.health_codes() & {"FULL", "NEAR_FULL"}, 60, "the room to be back")
        (c.mount / "small").write_bytes(b"x" * 100_000)
        assert (c.mount / "small").read_bytes() == b"x" * 100_000


if __name__ == "__main__":
    main(the_write_that_finds_no_room_says_so)
