"""Servers die under load; readers and writers do not notice, and nothing acknowledged is lost."""

import os
import random
import shutil
import sqlite3
import threading
import time

from harness import cluster, main, run, sha256, wait_until

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))


def make_tree(directory, files=200, seed=SEED):
    """Files of 0 to 300,000 random bytes; answers {name: sha256}."""
    chance = random.Random(seed)
    directory.mkdir()
    digests = {}
    for number in range(files):
        path = directory / f"f{number}"
        path.write_bytes(chance.randbytes(chance.choice([0, 10, 4096, 5000, 70_000, 300_000])))
        digests[path.name] = sha256(path)
    return digests


def assert_equal(directory, digests):
    for name, digest in digests.items():
        assert sha256(directory / name) == digest, f"{directory / name} (seed {SEED})"


class Reader(threading.Thread):
    """Reads a tree over and over, cold, and remembers the first wrong byte or error."""

    def __init__(self, directory, digests):
        super().__init__()
        self.directory, self.digests = directory, digests
        self.problem, self.passes, self.ends = None, 0, threading.Event()

    def run(self):
        while not self.ends.is_set() and self.problem is None:
            for name, digest in self.digests.items():
                try:
                    path = self.directory / name
                    with open(path, "rb") as file:
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                    if sha256(path) != digest:
                        self.problem = f"wrong bytes in {name}"
                except OSError as error:
                    self.problem = f"{name}: {error}"
                if self.problem or self.ends.is_set():
                    break
            self.passes += 1

    def finish(self):
        self.ends.set()
        self.join(120)
        assert not self.is_alive(), "the reader hangs"
        assert self.problem is None, self.problem


def insert_rows(path, count):
    database = sqlite3.connect(path)
    database.execute("create table if not exists t (n integer)")
    for n in range(count):
        with database:
            database.execute("insert into t values (?)", (n,))
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    assert database.execute("select count(*) from t").fetchone()[0] >= count
    database.close()


def one_chunkserver_dies_under_load_and_comes_back():
    with cluster() as c:
        source = c.root / "source"
        digests = make_tree(source)
        run("cp", "-a", source, c.mount / "one")
        reader = Reader(c.mount / "one", digests)
        reader.start()
        c.kill("chunk", 2)
        run("cp", "-a", source, c.mount / "two")
        insert_rows(c.mount / "db", 1000)
        assert "CHUNKSERVER_DOWN" in c.health_codes(), c.health()
        c.start("chunk", 2)
        c.wait_healthy()
        reader.finish()
        assert reader.passes > 0
        # Only the one that came back is left: it must hold everything.
        c.cairn("pool", "set", "--min-active", 1)
        c.kill("chunk", 1)
        wait_until(lambda: c.status()["reduced_groups"] or "UNDER_REPLICATED" in c.health_codes(),
                   30, "the first loss to be noticed")
        assert_equal(c.mount / "two", digests)
        c.kill("chunk", 3)
        wait_until(lambda: "LAST_COPY" in c.health_codes(), 30, "LAST_COPY")
        assert_equal(c.mount / "one", digests)
        assert_equal(c.mount / "two", digests)
        insert_rows(c.mount / "db2", 20)


def all_servers_die_during_a_copy():
    with cluster() as c:
        source = c.root / "source"
        digests = make_tree(source, files=400)
        closed = []

        def copy():
            (c.mount / "copy").mkdir()
            for name in digests:
                shutil.copy(source / name, c.mount / "copy" / name)
                closed.append(name)

        copier = threading.Thread(target=copy)
        copier.start()
        wait_until(lambda: len(closed) > 50, 60, "some files to be copied")
        c.kill_all_servers()
        before = list(closed)
        c.up()
        copier.join(180)
        assert not copier.is_alive(), "the copy hangs"
        assert len(closed) == len(digests), "the copy ended early"
        assert_equal(c.mount / "copy", {name: digests[name] for name in before})
        assert_equal(c.mount / "copy", digests)
        c.wait_healthy(ignore={"CHECKSUM_ERROR"})
        assert_equal(c.mount / "copy", digests)


def the_mount_process_dies_during_a_copy():
    with cluster() as c:
        source = c.root / "source"
        digests = make_tree(source)
        (c.mount / "copy").mkdir()
        safe = {}
        names = iter(digests)
        for name in [next(names) for _ in range(30)]:
            shutil.copy(source / name, c.mount / "copy" / name)
            safe[name] = digests[name]
        closed_at = time.monotonic()
        for name in [next(names) for _ in range(20)]:
            with open(c.mount / "copy" / name, "wb") as file:
                file.write((source / name).read_bytes())
                os.fsync(file.fileno())
            safe[name] = digests[name]
        # Closed more than a second ago, or fsynced: both must be whole.
        wait_until(lambda: time.monotonic() - closed_at > 1.05, 5, "a second to pass")
        partial = open(c.mount / "copy" / "partial", "wb")
        partial.write(b"x" * 1_000_000)
        c.kill("client", 1)
        try:
            partial.close()
        except OSError:
            pass
        c.up()
        assert_equal(c.mount / "copy", safe)


def a_flipped_byte_is_never_read():
    with cluster() as c:
        data = os.urandom(3 << 20)
        (c.mount / "file").write_bytes(data)
        fd = os.open(c.mount / "file", os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        for number in (1, 2, 3):
            for path in c.chunk_files(number):
                with open(path, "r+b") as chunk:
                    chunk.seek(number * 700_001)
                    byte = chunk.read(1)
                    chunk.seek(-1, os.SEEK_CUR)
                    chunk.write(bytes([byte[0] ^ 0x10]))
        run("umount", c.mount, check=False)
        c.up()  # mounts again: no cache of the client's is left
        assert (c.mount / "file").read_bytes() == data
        wait_until(lambda: "CHECKSUM_ERROR" in c.health_codes(), 10, "CHECKSUM_ERROR")


def the_metaserver_dies_and_is_waited_for():
    with cluster(meta=1, chunkservers=1, copies=1) as c:
        done = threading.Event()

        def write():
            for number in range(300):
                (c.mount / f"f{number}").write_bytes(b"%d" % number)
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        wait_until(lambda: (c.mount / "f20").exists(), 30, "some files")
        c.kill("meta", 1)
        c.start("meta", 1)
        writer.join(120)
        assert done.is_set(), "the writer failed"
        for number in range(300):
            assert (c.mount / f"f{number}").read_bytes() == b"%d" % number


if __name__ == "__main__":
    print(f"seed {SEED} (CAIRN_SEED)", flush=True)
    main(one_chunkserver_dies_under_load_and_comes_back, all_servers_die_during_a_copy,
         the_mount_process_dies_during_a_copy, a_flipped_byte_is_never_read,
         the_metaserver_dies_and_is_waited_for)
