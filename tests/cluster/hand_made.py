"""A cluster without `cairn dev`: configuration files written by hand, every server a child of the
test, each in a network namespace of its own if a network is given. Certificates are made with
openssl, so that the product's own tools are not needed to trust it."""

import contextlib
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from harness import Cluster, binaries, run, wait_until

FRAMES, GRPC = 7400, 7401


def free_ports(count):
    """Free at the moment, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def make_certificates(directory, names):
    """ca.crt and NAME.crt, NAME.key for each; {name: common name}."""
    directory.mkdir(mode=0o700)
    authority = ["-subj", "/CN=Cairn test", "-keyout", directory / "ca.key",
                 "-out", directory / "ca.crt"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    run("openssl", "req", "-x509", "-days", 30, *key, *authority)
    for name, common_name in names.items():
        run("openssl", "req", "-x509", "-days", 30, *key, "-subj", f"/CN={common_name}",
            "-addext", "subjectAltName=DNS:cairn", "-addext", "basicConstraints=critical,CA:FALSE",
            "-CA", directory / "ca.crt", "-CAkey", directory / "ca.key",
            "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.crt")


class HandMadeCluster(Cluster):
    """The words of harness.Cluster, for servers that the test starts itself: metaservers 1 to N,
    chunkserver 1 and the mounts. `raft` is the [raft] table of the metaservers' configuration."""

    def __init__(self, root, metaservers=3, mounts=1, network=None, raft=None):
        super().__init__(root, mounts=0)
        self.network, self.raft = network, raft or {}
        self.directory.mkdir()
        (self.directory / "log").mkdir()
        self.mounts = [self.root / f"mnt{number + 1}" for number in range(mounts)]
        self.processes = {}
        ports = iter(free_ports(2 * metaservers + 1))
        self.frames, self.grpc = {}, {}
        for number in range(1, metaservers + 1):
            host = network.address(number) if network else "127.0.0.1"
            self.frames[number] = f"{host}:{FRAMES if network else next(ports)}"
            self.grpc[number] = f"{host}:{GRPC if network else next(ports)}"
        host = network.hub_address if network else "127.0.0.1"
        self.chunkserver_address = f"{host}:{next(ports)}"

    # --- files ---

    def write_files(self):
        numbers = list(self.grpc)
        names = {f"meta{number}": f"metaserver-meta{number}" for number in numbers}
        make_certificates(self.directory / "tls", names | {
            "chunk1": "chunkserver-chunk1", "client": "client-test", "admin": "admin-test"})
        for number in numbers:
            raft = "".join(f"{key} = {value}\n" for key, value in self.raft.items())
            self.write_config(f"meta{number}", f'listen = "{self.frames[number]}"\n'
                              f'grpc_listen = "{self.grpc[number]}"\n', f"[raft]\n{raft}")
        self.write_config("chunk1", f'listen = "{self.chunkserver_address}"\n'
                          f'host = "{self.chunkserver_address.split(":")[0]}"\n'
                          f"metaservers = {self.addresses(self.grpc)}\n")
        (self.directory / "client.toml").write_text(
            f"metaservers = {self.addresses(self.grpc)}\n"
            f'mount_source = "{",".join(self.frames.values())}"\n{self.tls_table("admin")}')

    def write_config(self, name, keys, tables=""):
        place = self.directory / name
        place.mkdir()
        program = "metaserver" if name.startswith("meta") else "chunkserver"
        (place / f"{program}.toml").write_text(
            f'directory = "{place}/data"\n{keys}{self.tls_table(name)}{tables}'
            '[log]\nlevel = "info"\n')

    def addresses(self, of):
        return "[" + ", ".join(f'"{address}"' for address in of.values()) + "]"

    def tls_table(self, name):
        tls = self.directory / "tls"
        return (f'[tls]\nca = "{tls}/ca.crt"\ncertificate = "{tls}/{name}.crt"\n'
                f'key = "{tls}/{name}.key"\n')

    # --- processes ---

    def inside(self, name):
        """What puts a command into the namespace of the server `name`, or of everybody else."""
        return self.network.enter(name) if self.network else []

    def cairn(self, *words, check=True, timeout=120):
        return run(*self.inside("hub"), binaries() / "cairn", *words, "--dir", self.directory,
                   check=check, timeout=timeout)

    def start(self, kind, number):
        name = f"{kind}{number}"
        program = {"meta": "metaserver", "chunk": "chunkserver"}[kind]
        with open(self.directory / "log" / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [*self.inside(name if kind == "meta" else "hub"),
                 binaries() / f"cairn-{program}",
                 "--config", self.directory / name / f"{program}.toml"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def pid(self, name):
        return self.processes[name].pid

    def server_names(self):
        return sorted(self.processes)

    def metaserver_numbers(self):
        return {address: number for number, address in self.grpc.items()}

    def signal(self, kind, number, signal_number):
        self.processes[f"{kind}{number}"].send_signal(signal_number)

    def kill(self, kind, number):
        self.signal(kind, number, signal.SIGKILL)
        self.processes[f"{kind}{number}"].wait(30)

    def pause(self, kind, number):
        self.signal(kind, number, signal.SIGSTOP)

    def resume(self, kind, number):
        self.signal(kind, number, signal.SIGCONT)

    # --- life ---

    def up(self):
        self.write_files()
        for number in self.grpc:
            self.start("meta", number)
        self.found()
        self.start("chunk", 1)
        wait_until(lambda: any(server.get("up") for server in
                               self.status().get("chunkservers", [])), 60,
                   "the chunkserver to join")
        for mount in self.mounts:
            mount.mkdir()
            run(*self.inside("hub"), binaries() / "cairn", "mount", mount, "--dir", self.directory)
        return self

    def found(self):
        """A cluster is born once all its metaservers answer."""
        wanted = ",".join(f"{self.frames[number]}/{self.grpc[number].rsplit(':', 1)[1]}"
                          for number in self.grpc)
        words = [*self.inside("hub"), binaries() / "cairn", "cluster", "init", "--meta", wanted,
                 "--copies", 1, "--id", secrets.token_hex(16), "--tls-dir", self.directory / "tls"]
        wait_until(lambda: run(*words, check=False).returncode == 0, 60,
                   f"the cluster to be founded by {' '.join(map(str, words))}")

    def down(self):
        for mount in self.mounts:
            if os.path.ismount(mount):
                run("umount", mount, check=False, timeout=60)
        for name, process in self.processes.items():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for name, process in self.processes.items():
            process.wait(30)

    def end(self):
        """Whatever state it is in."""
        for mount in self.mounts:
            if os.path.ismount(mount):
                run("umount", "-l", mount, check=False)
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait(30)
        for process in mount_processes(self.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def mount_processes(directory):
    """Those that serve a mount of the cluster in `directory`."""
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (entry / "exe").resolve().name == "cairn-fuse" and \
                    str(directory) in (entry / "cmdline").read_text():
                yield int(entry.name)


@contextlib.contextmanager
def hand_made_cluster(**shape):
    """A running one; its logs are printed when the test fails."""
    root = tempfile.mkdtemp(prefix="cairn-", dir=os.environ.get("CAIRN_TEST_ROOT", "/tmp"))
    made = HandMadeCluster(root, **shape)
    try:
        yield made.up()
    except BaseException:
        for log in made.logs():
            print(log, file=sys.stderr)
        raise
    finally:
        made.end()
        shutil.rmtree(root, ignore_errors=True)
