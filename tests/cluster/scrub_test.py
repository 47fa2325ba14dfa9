"""Bits flip on a disk: scrubbing finds every one of them, and nobody ever reads one.

CAIRN_FLIPS sets how many blocks of one server are damaged.
"""

import errno
import json
import os
import random

from fault_test import Reader, assert_equal, make_tree
from harness import cluster, main, run, sha256
from repair_test import server_id

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))
FLIPS = int(os.environ.get("CAIRN_FLIPS", 1000))
BLOCK = 4096


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
        file.flush()
        os.fsync(file.fileno())


def block_places(paths):
    """(file, block) of every whole block that was written."""
    return [(path, block) for path in paths for block in range(path.stat().st_size // BLOCK)]


def flip_some(c, number, count, chance):
    """Damages one byte in `count` different blocks of a chunkserver."""
    places = chance.sample(block_places(c.chunk_files(number)), count)
    for path, block in places:
        flip(path, block * BLOCK + chance.randrange(BLOCK))
    return len(places)


def scrub_of(c, server):
    for status in json.loads(c.cairn("scrub", "status", "--json").stdout)["servers"]:
        if status["server"] == server:
            return status["scrub"]
    raise AssertionError(f"server {server} is not listed")


def every_flipped_bit_is_found_and_no_reader_sees_one():
    print(f"seed {SEED}, {FLIPS} flips")
    chance = random.Random(SEED)
    with cluster(chunkservers=3, copies=3) as c:
        digests = make_tree(c.mount / "tree", files=200)
        run("dd", "if=/dev/urandom", f"of={c.mount / 'tree' / 'big'}", "bs=1M", "count=64",
            "conv=fsync")
        digests["big"] = sha256(c.mount / "tree" / "big")
        server = server_id(c, 2)
        reader = Reader(c.mount / "tree", digests)
        reader.start()
        flipped = flip_some(c, 2, FLIPS, chance)
        c.cairn("scrub", "start", "--wait", timeout=600)
        status = next(s for s in c.status()["chunkservers"] if s["server"] == server)
        found = int(status["checksum_errors"])
        scrub = status["scrub"]
        print(f"{flipped} flipped, {found} found, {scrub['found_blocks']} of them by the scrub, "
              f"{scrub['mended_blocks']} mended by it")
        assert found == flipped, f"{found} of {flipped} were found"
        reader.finish()
        assert reader.passes > 0
        c.cairn("scrub", "start", "--wait", timeout=600)
        again = scrub_of(c, server)
        assert again["found_blocks"] == scrub["found_blocks"], "something was not mended"
        assert_equal(c.mount / "tree", digests)


def a_block_that_matches_nowhere_is_an_error_and_its_neighbours_are_not():
    with cluster(chunkservers=3, copies=3) as c:
        content = os.urandom(64 * BLOCK)
        path = c.mount / "file"
        with open(path, "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        for number in (1, 2, 3):
            files = [f for f in c.chunk_files(number) if f.stat().st_size == len(content)]
            assert len(files) == 1, files
            flip(files[0], 10 * BLOCK + 5)
        c.cairn("scrub", "start", "--wait", check=False, timeout=300)
        with open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            for block in (0, 9, 11, 63):
                assert os.pread(file.fileno(), BLOCK, block * BLOCK) == \
                    content[block * BLOCK:(block + 1) * BLOCK], f"block {block}"
            try:
                os.pread(file.fileno(), BLOCK, 10 * BLOCK)
                raise AssertionError("a block without a good copy was read")
            except OSError as error:
                assert error.errno == errno.EIO, error
        report = json.loads(c.cairn("fsck", "--json", check=False).stdout)
        listed = {(found["code"], found["path"]) for found in report["findings"]}
        assert listed == {("DAMAGED", "/file")}, report
        assert {"CHECKSUM_ERROR", "LOST"} & c.health_codes(), c.health()
        # Writing it anew makes it whole, and the list forgets it.
        with open(path, "r+b", buffering=0) as file:
            os.pwrite(file.fileno(), content[10 * BLOCK:11 * BLOCK], 10 * BLOCK)
            os.fsync(file.fileno())
        c.cairn("scrub", "start", "--wait", timeout=300)
        assert path.read_bytes() == content
        assert not json.loads(c.cairn("fsck", "--json").stdout)["findings"]


if __name__ == "__main__":
    main(a_block_that_matches_nowhere_is_an_error_and_its_neighbours_are_not,
         every_flipped_bit_is_found_and_no_reader_sees_one)
