"""Bad input, strangers and full disks: a clear error that names the cause, and nothing is lost."""

import contextlib
import errno
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile

from harness import binaries, cluster, is_running, main, run, wait_until

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))
UNAVAILABLE = 5


def start_server(program, config):
    """A server that is expected to refuse to start: (exit code, what it said)."""
    result = subprocess.run([binaries() / program, "--config", config], text=True, timeout=60,
                            capture_output=True)
    return result.returncode, result.stdout + result.stderr


def config_of(c, name):
    program = "metaserver" if name.startswith("meta") else "chunkserver"
    return c.directory / name / f"{program}.toml"


def an_unknown_config_key_is_named_with_its_line():
    with cluster(chunkservers=1, copies=1, mounts=0) as c:
        for name, program in (("meta1", "cairn-metaserver"), ("chunk1", "cairn-chunkserver")):
            config = c.root / f"{name}.toml"
            text = 'colour = "red"\n' + config_of(c, name).read_text()
            config.write_text(text)
            code, said = start_server(program, config)
            assert code == 1 and "colour" in said and f"{config}:1:" in said, said


def a_port_in_use_and_a_directory_in_use_are_named():
    with cluster(chunkservers=1, copies=1, mounts=0) as c:
        code, said = start_server("cairn-metaserver", config_of(c, "meta1"))
        assert code == 1 and str(c.directory / "meta1") in said, said
        text = config_of(c, "meta1").read_text()
        port = re.search(r'listen = "(127\.0\.0\.1:\d+)"', text).group(1)
        config = c.root / "second.toml"
        config.write_text(text.replace(str(c.directory / "meta1"), str(c.root / "second"))
                          .replace(str(c.directory / "run"), str(c.root)))
        code, said = start_server("cairn-metaserver", config)
        assert code == 1 and port in said and "in use" in said, said


def an_unreachable_server_is_named():
    with cluster(chunkservers=1, copies=1, mounts=0) as c:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # never listens
            nobody = f"127.0.0.1:{taken.getsockname()[1]}"
            trust = ["--tls-dir", c.directory / "tls"]
            for words in (["status", "--cluster", nobody, *trust],
                          ["mount", *trust, nobody, c.root]):
                result = run(binaries() / "cairn", *words, check=False)
                assert result.returncode == UNAVAILABLE, result
                assert nobody in result.stderr, result.stderr


def a_server_of_another_cluster_is_refused_and_told_why():
    with cluster(chunkservers=1, copies=1, mounts=0) as one, \
            cluster(chunkservers=1, copies=1, mounts=0) as two:
        one.kill("chunk", 1)
        ours = config_of(one, "chunk1").read_text()
        theirs = config_of(two, "chunk1").read_text()

        def line(text, key):
            return re.search(rf"^{key} = .*$", text, re.M).group(0)

        # Our disk, their metaserver and certificates.
        text = theirs.replace(line(theirs, "directory"), line(ours, "directory"))
        for key in ("listen", "unix_socket"):
            text = text.replace(line(theirs, key), line(ours, key))
        text = re.sub(r"^file = .*$", "", text, flags=re.M)
        config = one.root / "stranger.toml"
        config.write_text(text)
        code, said = start_server("cairn-chunkserver", config)
        ids = [c.status()["cluster_id"] for c in (one, two)]
        assert code == 1 and all(name in said for name in ids), said


def garbage_harms_nobody():
    with cluster(chunkservers=1, copies=1) as c:
        pids = {name: c.pid(name) for name in c.server_names()}
        text = "".join(config_of(c, name).read_text() for name in pids)
        ports = {int(port) for port in re.findall(r'listen = "127\.0\.0\.1:(\d+)"', text)}
        sockets = set(re.findall(r'unix_socket = "([^"]+)"', text))
        assert len(ports) >= 3 and sockets, text
        chance = random.Random(SEED)

        def throw(family, address):
            with contextlib.suppress(OSError), socket.socket(family) as stranger:
                stranger.settimeout(2)
                stranger.connect(address)
                stranger.sendall(chance.randbytes(chance.choice([1, 40, 64, 1000, 100_000])))
                if chance.random() < 0.5:
                    stranger.recv(100)

        for _ in range(20):
            for port in ports:
                throw(socket.AF_INET, ("127.0.0.1", port))
            for path in sockets:
                throw(socket.AF_UNIX, path)
            (c.mount / "still").write_bytes(b"here")
        assert (c.mount / "still").read_bytes() == b"here"
        for name, pid in pids.items():
            assert is_running(pid) and c.pid(name) == pid, f"{name} died (seed {SEED})"


def expect(code, action):
    try:
        action()
    except OSError as error:
        assert error.errno == code, f"{errno.errorcode[error.errno]}, not {errno.errorcode[code]}"
        return
    raise AssertionError(f"no {errno.errorcode[code]}")


def names_have_at_most_255_bytes():
    with cluster(chunkservers=1, copies=1) as c:
        (c.mount / ("x" * 255)).touch()
        expect(errno.ENAMETOOLONG, (c.mount / ("x" * 256)).touch)
        expect(errno.ENAMETOOLONG, (c.mount / ("ä" * 128)).mkdir)
        assert os.listdir(c.mount) == ["x" * 255]


@contextlib.contextmanager
def small_disk(mebibytes):
    root = tempfile.mkdtemp(prefix="cairn-disk-")
    image, place = os.path.join(root, "image"), os.path.join(root, "d")
    os.mkdir(place)
    run("truncate", "-s", f"{mebibytes}M", image)
    run("mkfs.ext4", "-q", "-m", "0", image)
    run("mount", "-o", "loop", image, place)
    try:
        yield place
    finally:
        run("umount", "-l", place, check=False)
        shutil.rmtree(root, ignore_errors=True)


def fill(directory):
    """Writes until there is no room; answers the names that were fsynced, with their digit."""
    whole = {}
    for number in range(10_000):
        path = directory / f"f{number}"
        digit = bytes([number % 256])
        try:
            with open(path, "wb", buffering=0) as file:
                for _ in range(8):
                    file.write(digit * (1 << 20))
                os.fsync(file.fileno())
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            return whole
        whole[path.name] = digit
    raise AssertionError("the disk is never full")


def a_full_disk_is_enospc_to_writers_and_loses_nothing():
    with small_disk(800) as disk:
        os.environ["CAIRN_TEST_ROOT"] = disk
        try:
            with cluster(chunkservers=1, copies=1) as c:
                whole = fill(c.mount)
                assert len(whole) > 40, f"only {len(whole)} files fit"
                for name, digit in whole.items():
                    assert (c.mount / name).read_bytes() == digit * (8 << 20), name
                assert "CHUNKSERVER_DOWN" not in c.health_codes(), c.health()
                # A restart on the full disk, then room again.
                c.down()
                c.up()
                names = sorted(whole)
                for name in names[: len(names) // 2]:
                    (c.mount / name).unlink()
                wait_until(lambda: shutil.disk_usage(c.mount).free > 200 << 20, 60,
                           "removed files to give their room back")
                (c.mount / "again").write_bytes(b"room" * 1_000_000)
                with open(c.mount / "again", "rb") as file:
                    os.fsync(file.fileno())
                for name in names[len(names) // 2:]:
                    assert (c.mount / name).read_bytes() == whole[name] * (8 << 20), name
        finally:
            del os.environ["CAIRN_TEST_ROOT"]


if __name__ == "__main__":
    print(f"seed {SEED} (CAIRN_SEED)")
    main(an_unknown_config_key_is_named_with_its_line,
         a_port_in_use_and_a_directory_in_use_are_named,
         an_unreachable_server_is_named,
         a_server_of_another_cluster_is_refused_and_told_why,
         garbage_harms_nobody,
         names_have_at_most_255_bytes,
         a_full_disk_is_enospc_to_writers_and_loses_nothing)
