"""cairn fsck on a cluster in use: no false alarm, and what belongs to no file is set aside.

CAIRN_SECONDS is how long each kind of unrest lasts; CAIRN_SEED makes it the same again.
"""

import json
import os
import random
import shutil
import threading
import time

from harness import cluster, main, sha256, wait_until

SECONDS = int(os.environ.get("CAIRN_SECONDS", 15))
SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 32)))
CHUNK = 16 << 20
# So long a chunk is unchanged before it is set aside.
SETTLED = 30


def fsck(c, *options):
    """Exit code and what was found; retried while nobody leads."""
    def answered():
        result = c.cairn("fsck", "--json", *options, check=False, timeout=200)
        return result if result.returncode in (0, 7) else None
    result = wait_until(answered, 60, "cairn fsck to be answered")
    return result.returncode, json.loads(result.stdout)


def alarms(report):
    """Surplus copies are no alarm: they are on their way."""
    return [finding for finding in report["findings"] if finding["code"] != "SURPLUS"]


class Unrest:
    """Creates, overwrites, cuts, renames and removes files until it is left."""

    def __init__(self, mount, seed):
        self.mount = mount
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.operations = 0
        self.failure = None

    def __enter__(self):
        self.mount.mkdir(exist_ok=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        if self.failure is not None:
            raise self.failure

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step(self.mount / f"file{self.random.randrange(40)}")
                self.operations += 1
        except OSError as error:
            self.failure = error

    def step(self, path):
        choice = self.random.randrange(100)
        if choice < 55 or not path.exists():
            mode = "wb" if self.random.random() < 0.5 or not path.exists() else "r+b"
            with open(path, mode) as file:
                file.seek(self.random.choice((0, 0, 0, CHUNK - 4096, 3 * CHUNK)))
                file.write(os.urandom(4096) * self.random.randrange(1, 40))
                if self.random.random() < 0.3:
                    os.fsync(file.fileno())
        elif choice < 65:
            os.truncate(path, self.random.choice((0, 1, 5000, CHUNK, 2 * CHUNK)))
        elif choice < 75:
            path.rename(self.mount / f"file{self.random.randrange(40)}")
        elif choice < 80:
            with open(path, "r+b") as file:  # removed while it is open and written
                path.unlink()
                file.write(b"x" * 10000)
        else:
            path.unlink()


def watch(c, seconds):
    """fsck again and again; answers how often, and chunks seen in all."""
    rounds = seen = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _, report = fsck(c)
        assert not alarms(report), f"a false alarm: {alarms(report)}"
        assert report["end"]
        rounds += 1
        seen += int(report["chunks_seen"])
    return rounds, seen


def a_busy_cluster_raises_no_alarm():
    print(f"CAIRN_SEED={SEED}")
    with cluster(mounts=2) as c:
        with Unrest(c.mounts[0] / "a", SEED) as one, Unrest(c.mounts[1] / "b", SEED + 1) as other:
            rounds, seen = watch(c, SECONDS)
        assert seen > 0
        print(f"{rounds} rounds, {seen} chunks, {one.operations + other.operations} operations")
        code, report = fsck(c, "--repair")
        assert code == 0 and not report["findings"], report


def nor_does_one_that_loses_servers():
    with cluster() as c, Unrest(c.mount / "a", SEED) as unrest:
        watch(c, 2)
        c.kill("chunk", 2)
        watch(c, SECONDS / 3)
        c.start("chunk", 2)
        watch(c, SECONDS / 3)
        c.kill("meta", "leader")
        rounds, seen = watch(c, SECONDS / 3)
        print(f"{rounds} rounds, {seen} chunks at the end, {unrest.operations} operations")


def a_server_that_is_away_is_named():
    with cluster() as c:
        (c.mount / "file").write_bytes(b"x" * 100_000)
        os.sync()
        code, report = fsck(c)
        assert code == 0, report
        c.kill("chunk", 3)
        wait_until(lambda: fsck(c)[1]["silent_servers"], 30, "the silent server to be named")
        code, report = fsck(c)
        assert code == 7 and len(report["silent_servers"]) == 1 and not report["findings"], report


def disk_of(c):
    """Where chunkserver 1 keeps its chunks, which says nothing of who it is or was."""
    found = list((c.directory / "chunk1").rglob("index"))
    assert len(found) == 1, found
    return found[0].parent


# An only copy that comes back from an old backup of its disk.
def what_belongs_to_no_file_is_set_aside_and_nothing_else():
    with cluster(meta=1, chunkservers=1, copies=1) as c:
        kept, gone = c.mount / "kept", c.mount / "gone"
        kept.write_bytes(os.urandom(3_000_000))
        gone.write_bytes(b"b" * 100_000)
        os.sync()
        digest = sha256(kept)
        c.stop("chunk", 1)
        disk, backup = disk_of(c), c.root / "backup"
        for part in ("chunks", "index"):
            shutil.copytree(disk / part, backup / part)
        c.start("chunk", 1)
        c.wait_healthy(60)
        gone.unlink()
        wait_until(lambda: int(c.status()["inodes"]) == 2, 60, "the file's chunks to go")
        code, report = fsck(c)
        assert code == 0 and not report["findings"], report
        c.stop("chunk", 1)
        for part in ("chunks", "index"):
            shutil.rmtree(disk / part)
            shutil.copytree(backup / part, disk / part)
        c.start("chunk", 1)
        c.wait_healthy(60)
        _, report = fsck(c)
        assert [(f["code"], f["index"]) for f in report["findings"]] == [("ORPHAN", 0)], report

        def repaired():
            _, report = fsck(c, "--repair")
            return all(finding["set_aside"] for finding in report["findings"])
        wait_until(repaired, SETTLED + 30, "the orphan to be set aside")
        code, report = fsck(c)
        assert code == 0 and not report["findings"], report
        aside = list((c.directory / "chunk1").rglob("aside/*"))
        assert aside and all(path.read_bytes() == b"b" * 100_000 for path in aside), aside
        assert sha256(kept) == digest


main(a_busy_cluster_raises_no_alarm, nor_does_one_that_loses_servers,
     a_server_that_is_away_is_named, what_belongs_to_no_file_is_set_aside_and_nothing_else)
