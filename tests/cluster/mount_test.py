"""Mounts that people make by hand, and what `dev down` does about them."""

import os
import pathlib
import shutil
import tempfile
import time

from harness import Cluster, binaries, cluster, is_running, main, run, wait_until

FUSE = binaries() / "cairn-fuse"


def tls_options(c, *more):
    tls = c.directory / "tls"
    return ",".join([f"ca={tls}/ca.crt", f"cert={tls}/client.crt", f"key={tls}/client.key", *more])


def source(c):
    return f"unix:{c.directory}/run/meta1.sock"


def mount_processes(c):
    """Of this cluster, by their executable and arguments."""
    pids = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if os.readlink(entry / "exe") == str(FUSE.resolve()) and \
                    str(c.directory) in (entry / "cmdline").read_text():
                pids.append(int(entry.name))
        except OSError:
            continue
    return pids


def assert_no_mount(c):
    assert str(c.root) not in pathlib.Path("/proc/self/mounts").read_text()
    assert not mount_processes(c)


def seconds(action):
    started = time.monotonic()
    action()
    return time.monotonic() - started


def what_was_closed_survives_a_down_with_a_dead_chunkserver():
    with cluster() as c:
        c.kill("chunk", 1)
        data = {f"f{i}": os.urandom(1 << 20) for i in range(30)}
        for name, bytes_ in data.items():
            (c.mount / name).write_bytes(bytes_)
        c.cairn("dev", "down")
        assert_no_mount(c)
        c.up()
        for name, bytes_ in data.items():
            assert (c.mount / name).read_bytes() == bytes_, name


def a_wipe_waits_for_nobody():
    with cluster() as c:
        pids = [c.pid(name) for name in c.server_names()] + mount_processes(c)
        (c.mount / "unflushed").write_bytes(os.urandom(8 << 20))
        c.cairn("dev", "pause", "chunk", 2)
        c.cairn("dev", "pause", "client", 1)
        took = seconds(lambda: c.cairn("dev", "down", "--wipe"))
        assert took < 5, took
        assert_no_mount(c)
        assert not any(is_running(pid) for pid in pids)
        assert not c.directory.exists()


def mounts_made_by_hand_are_taken_away():
    with cluster(chunkservers=1, copies=1, mounts=0) as c:
        helper = c.root / "mount.cairn"
        helper.symlink_to(FUSE)
        points = [c.root / name for name in ("relative", "options-first", "helper")]
        for point in points:
            point.mkdir()
        run(binaries() / "cairn", "mount", "relative", "--dir", c.directory, cwd=c.root)
        run(FUSE, "-o", tls_options(c), source(c), points[1])
        run(helper, source(c), points[2], "-o", tls_options(c, "rw"))
        for point in points:
            assert os.path.ismount(point), point
            (point / point.name).write_text("closed")
        assert "inode" in c.cairn("where", points[0] / "relative").stdout
        took = seconds(c.down)
        assert took < 20, took
        assert_no_mount(c)


def relative_certificates_and_log_are_found():
    with cluster(chunkservers=1, copies=1, mounts=0) as c:
        (c.root / "mnt").mkdir()
        run(FUSE, source(c), "mnt", "-o",
            "ca=dev/tls/ca.crt,cert=dev/tls/client.crt,key=dev/tls/client.key,log=mount.log",
            cwd=c.root)
        log = c.root / "mount.log"
        wait_until(lambda: "mounted" in log.read_text(), 10, "the log to be written")


def a_comma_in_the_directory_does_no_harm():
    root = tempfile.mkdtemp(prefix="cairn-a,b", dir=os.environ.get("CAIRN_TEST_ROOT", "/tmp"))
    c = Cluster(root, chunkservers=1, copies=1)
    try:
        c.up()
        (c.mount / "file").write_text("text")
        assert "inode" in run(binaries() / "cairn", "where", c.mount / "file").stdout
        c.down()
        assert_no_mount(c)
    finally:
        c.cairn("dev", "down", "--wipe", check=False)
        shutil.rmtree(root, ignore_errors=True)


def exit_codes_are_those_of_whoever_asked():
    with cluster(chunkservers=1, copies=1, mounts=0) as c:
        point = c.root / "mnt"
        point.mkdir()
        helper = c.root / "mount.cairn"
        helper.symlink_to(FUSE)
        nobody = f"unix:{c.root}/nobody.sock"

        def code(*command):
            return run(*command, check=False).returncode

        assert c.cairn("mount", nobody, point, "-o", "timeout=1s", check=False).returncode == 5
        assert c.cairn("mount", c.root / "absent", check=False).returncode == 3
        assert code(FUSE, source(c), point, "-o", "frobnicate") == 2
        assert code(helper, nobody, point, "-o", tls_options(c, "timeout=1s")) == 32
        assert code(helper, source(c), c.root / "absent", "-o", tls_options(c)) == 1
        assert code(helper, source(c), point, "-f", "-n", "-o", tls_options(c)) == 0
        assert not os.path.ismount(point)


def a_signal_does_not_cut_the_last_flush_short():
    with cluster() as c:
        data = os.urandom(64 << 20)
        [pid] = mount_processes(c)
        (c.mount / "file").write_bytes(data)
        run("umount", c.mount)
        if is_running(pid):
            os.kill(pid, 15)
        wait_until(lambda: not is_running(pid), 60, "the mount process to write back and end")
        c.up()
        assert (c.mount / "file").read_bytes() == data


if __name__ == "__main__":
    main(what_was_closed_survives_a_down_with_a_dead_chunkserver, a_wipe_waits_for_nobody,
         mounts_made_by_hand_are_taken_away, relative_certificates_and_log_are_found,
         a_comma_in_the_directory_does_no_harm, exit_codes_are_those_of_whoever_asked,
         a_signal_does_not_cut_the_last_flush_short)
