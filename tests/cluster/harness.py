"""A real cluster of real processes on this machine, told in a few words.

Every cluster lives in a directory of its own below a temporary one; leaving the `with` block leaves
no process and no mount. Nothing here waits without a deadline.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def binaries():
    return pathlib.Path(os.environ.get("CAIRN_BIN", SOURCE / "build/release/bin"))


def wait_until(condition, seconds, what):
    """Answers condition()'s first true value; fails loudly after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def is_running(pid):
    """A process that has ended but was not yet reaped by its parent is not running."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def run(*command, timeout=300, check=True, **options):
    result = subprocess.run([str(word) for word in command], timeout=timeout, text=True,
                            capture_output=True, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {result.returncode}\n"
                             f"{result.stdout}{result.stderr}")
    return result


class Cluster:
    """`meta` metaservers (1, 3 or 5), `chunkservers` chunkservers of `disks` disks each, and as
    many mounts as said."""

    def __init__(self, root, chunkservers=3, copies=3, mounts=1, min_active=None, meta=3,
                 disks=1):
        self.root = pathlib.Path(root)
        self.directory = self.root / "dev"
        self.mounts = [self.root / f"mnt{i + 1}" for i in range(mounts)]
        self.shape = ["--meta", meta, "--chunk", chunkservers, "--copies", copies]
        self.loops = []
        if disks != 1:
            self.shape += ["--disks", disks]
        if min_active is not None:
            self.shape += ["--min-active", min_active]
        for mount in self.mounts:
            mount.mkdir(parents=True)
            self.shape += ["--mount", mount]

    def give_disks(self, mebibytes):
        """Every chunkserver gets an ext4 of its own, on a loop device. Needs root; restarts all."""
        self.cairn("dev", "down")
        for place in sorted(self.directory.glob("chunk*")):
            image = self.root / f"{place.name}.img"
            with open(image, "wb") as file:
                file.truncate(mebibytes << 20)
            run("mkfs.ext4", "-q", "-m", 0, image)
            moved = place.rename(self.root / place.name)
            place.mkdir()
            run("mount", "-o", "loop", image, place)
            self.loops.append(place)
            run("cp", "-a", f"{moved}/.", place)
        return self.up()

    def remove_disks(self):
        for place in self.loops:
            run("umount", place, check=False)

    @property
    def mount(self):
        return self.mounts[0]

    def cairn(self, *words, check=True, timeout=120):
        return run(binaries() / "cairn", *words, "--dir", self.directory, check=check,
                   timeout=timeout)

    def up(self):
        self.cairn("dev", "up", *self.shape)
        return self

    def down(self):
        """A clean stop, and every server says so itself."""
        servers = self.server_names()
        self.cairn("dev", "down")
        for name in servers:
            lines = (self.directory / "log" / f"{name}.log").read_text().splitlines()
            assert "stopped" in lines[-1], f"{name} did not stop cleanly: {lines[-1]}"

    # Of a metaserver the number may be "leader".
    def kill(self, kind, number):
        self.cairn("dev", "kill", kind, number)

    def stop(self, kind, number):
        """In order, by SIGTERM; it has said so and is gone on return."""
        name = f"{kind}{number}"
        pid = self.pid(name)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_running(pid), 30, f"{name} to end")
        last = (self.directory / "log" / f"{name}.log").read_text().splitlines()[-1]
        assert "stopped" in last, f"{name} did not stop cleanly: {last}"

    def pause(self, kind, number):
        self.cairn("dev", "pause", kind, number)

    def resume(self, kind, number):
        self.cairn("dev", "resume", kind, number)

    def start(self, kind, number):
        self.cairn("dev", "start", kind, number)

    def meta_ls(self):
        """{"cluster_id", "leader": id or 0, "changing", "members": [{"server", "role", ...}]}"""
        return json.loads(self.cairn("meta", "ls", "--json").stdout)

    def meta_hash(self, timeout=30):
        """The hash that all members have at one place in the log; fails if one does not say it."""
        result = self.cairn("meta", "hash", "--json", "--timeout", timeout, timeout=timeout + 30)
        hashes = {member["hash"] for member in json.loads(result.stdout)["members"]}
        assert len(hashes) == 1, result.stdout
        return hashes.pop()

    def metaserver_numbers(self):
        """{gRPC address: number of the process}"""
        shape = tomllib.loads((self.directory / "cluster.toml").read_text())
        return {f"127.0.0.1:{shape[f'meta{number}']['grpc']}": number
                for number in range(1, shape["meta"] + 1)}

    def leader(self, seconds=15):
        """The number of the process that leads. It is not always its id in the group."""
        def answering_leader():
            # Nobody may answer for a moment.
            listed = self.cairn("meta", "ls", "--json", check=False)
            members = json.loads(listed.stdout)["members"] if listed.returncode == 0 else []
            leaders = [member for member in members if member["role"] == "leader"]
            # One that was paused may still believe in itself.
            return max(leaders, key=lambda member: member["term"], default=None)
        member = wait_until(answering_leader, seconds, "a metaserver that leads")
        return self.metaserver_numbers()[member["grpc"]]

    def server_id(self, number):
        """The id in the group of metaserver process `number`, as `cairn meta remove` takes it."""
        for member in self.meta_ls()["members"]:
            if self.metaserver_numbers().get(member["grpc"]) == number and member["part"]:
                return member["server"]
        raise AssertionError(f"meta{number} is not in the group")

    def add_metaserver(self):
        """Starts one more, empty: {"name", "number", "frames", "grpc"}; then `cairn meta add`."""
        return json.loads(self.cairn("dev", "add", "meta", "--json").stdout)

    def health(self):
        return json.loads(self.cairn("health", "--json").stdout)

    def status(self):
        return json.loads(self.cairn("status", "--json").stdout)

    def health_codes(self):
        return {item["code"] for item in self.health()}

    def wait_healthy(self, seconds=120, ignore=()):
        """Until `cairn health` is empty, but for codes in `ignore`."""
        wait_until(lambda: not self.health_codes() - set(ignore), seconds,
                   "cairn health to be empty")

    def pid(self, name):
        return int((self.directory / "run" / f"{name}.pid").read_text().split()[0])

    def server_names(self):
        return sorted(path.stem for path in (self.directory / "run").glob("*.pid")
                      if path.stem.startswith(("meta", "chunk")))

    def kill_all_servers(self):
        for name in self.server_names():
            os.kill(self.pid(name), signal.SIGKILL)

    def chunk_files(self, number):
        return [path for path in (self.directory / f"chunk{number}").rglob("*")
                if path.is_file() and "chunks" in path.parts]

    def logs(self):
        for log in sorted((self.directory / "log").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            yield f"--- {log.name}\n" + "\n".join(lines[-25:])


@contextlib.contextmanager
def cluster(**shape):
    """A running cluster; its logs are printed when the test fails."""
    # The path of a UNIX socket is at most 107 bytes.
    root = tempfile.mkdtemp(prefix="cairn-", dir=os.environ.get("CAIRN_TEST_ROOT", "/tmp"))
    made = Cluster(root, **shape)
    try:
        yield made.up()
    except BaseException:
        for log in made.logs():
            print(log, file=sys.stderr)
        raise
    finally:
        made.cairn("dev", "down", "--wipe", check=False, timeout=900)
        for mount in made.mounts:
            if os.path.ismount(mount):
                run("umount", "-l", mount, check=False)
        made.remove_disks()
        shutil.rmtree(root, ignore_errors=True)


def main(*cases):
    """Runs the cases named on the command line, all when none is; prints a closing line."""
    wanted = sys.argv[1:]
    failed = 0
    for case in cases:
        if wanted and case.__name__ not in wanted:
            continue
        started = time.monotonic()
        try:
            case()
            print(f"ok   {case.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception as error:  # told, counted, and the next case runs
            failed += 1
            print(f"FAIL {case.__name__}: {error}", flush=True)
    ran = len([case for case in cases if not wanted or case.__name__ in wanted])
    print(f"{ran - failed} passed, {failed} failed")
    sys.exit(1 if failed or not ran else 0)
