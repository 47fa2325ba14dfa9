"""One pass over a real cluster: what a first user does."""

import os
import sqlite3
import subprocess

from harness import SOURCE, cluster, is_running, main, run, sha256, wait_until


def a_tree_comes_back_equal():
    with cluster() as c:
        run("cp", "-a", SOURCE / "proto", c.mount / "tree")
        run("diff", "-r", SOURCE / "proto", c.mount / "tree")
        for name in os.listdir(SOURCE / "proto/cairn/v1"):
            original = (SOURCE / "proto/cairn/v1" / name).stat()
            copy = (c.mount / "tree/cairn/v1" / name).stat()
            assert (original.st_mode, original.st_mtime_ns, original.st_size) == \
                   (copy.st_mode, copy.st_mtime_ns, copy.st_size), name


def files_survive_a_restart_of_everything():
    with cluster() as c:
        data = os.urandom(40 << 20)  # three chunks
        (c.mount / "big").write_bytes(data)
        before = sha256(c.mount / "big")
        c.down()
        assert not os.path.ismount(c.mount)
        c.up()
        assert sha256(c.mount / "big") == before


def programs_work():
    with cluster(copies=2) as c:
        database = sqlite3.connect(c.mount / "db")
        database.execute("create table t (n integer)")
        for n in range(50):
            with database:
                database.execute("insert into t values (?)", (n,))
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        assert database.execute("select count(*) from t").fetchone() == (50,)
        database.close()
        repository = c.mount / "repository"
        repository.mkdir()
        (repository / "file").write_text("text\n")
        for words in (["init", "-q"], ["add", "-A"],
                      ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"], ["fsck"]):
            run("git", "-C", repository, *words)


def a_file_is_replaced_over_and_over():
    with cluster() as c:
        for n in range(60):
            (c.mount / "file").write_bytes(bytes([n]) * (7000 - 100 * n))
            with open(c.mount / "file", "r+b") as file:
                file.truncate(5 + n)
                file.seek(100)
                file.write(b"end")
                os.fsync(file.fileno())
            expected = bytes([n]) * (5 + n) + bytes(95 - n) + b"end"
            assert (c.mount / "file").read_bytes() == expected, n
        c.down()
        c.up()
        assert (c.mount / "file").read_bytes() == expected


def an_unlinked_file_lives_until_it_is_closed():
    with cluster(chunkservers=1, copies=1) as c:
        with open(c.mount / "gone", "w+b") as file:
            file.write(b"x" * 100_000)
            file.flush()
            os.fsync(file.fileno())
            os.unlink(c.mount / "gone")
            file.seek(0)
            assert file.read() == b"x" * 100_000
        wait_until(lambda: not c.chunk_files(1), 20, "the chunks of the closed file to be removed")


def two_clusters_live_side_by_side():
    with cluster(chunkservers=1, copies=1) as one, cluster(chunkservers=1, copies=1) as two:
        (one.mount / "name").write_text("one")
        (two.mount / "name").write_text("two")
        one.down()
        assert (two.mount / "name").read_text() == "two"


def where_names_the_copies():
    with cluster() as c:
        (c.mount / "file").write_bytes(b"x" * 5000)
        os.sync()
        answer = c.cairn("where", c.mount / "file").stdout
        assert answer.count("active") >= 3 or "1 2 3" in answer, answer


def nothing_is_left_behind():
    with cluster(chunkservers=1, copies=1) as c:
        pids = [c.pid(name) for name in c.server_names()]
        c.down()
        for pid in pids:
            assert not is_running(pid), pid
        assert str(c.root) not in subprocess.run(["cat", "/proc/self/mounts"], text=True,
                                                 capture_output=True).stdout


if __name__ == "__main__":
    main(a_tree_comes_back_equal, files_survive_a_restart_of_everything, programs_work,
         a_file_is_replaced_over_and_over,
         an_unlinked_file_lives_until_it_is_closed, two_clusters_live_side_by_side,
         where_names_the_copies, nothing_is_left_behind)
