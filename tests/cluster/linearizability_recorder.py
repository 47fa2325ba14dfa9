"""Clients that use a few shared directories through the mounts of one cluster, and write down every
answer with its times.

Each client is a process of its own. Names are few, so that most operations meet another one. The
clients of the last mount only look: a change waits for a leader that can commit, and takes its
whole mount there; a mount that only looks stays with whoever answers, a deposed leader perhaps.

What the kernel of one mount decides alone is left out, for it looks at the two names of a rename
one after the other: a rename that replaces takes a name that only this mount's clients rename (all
others may look at it or unlink it), every other rename replaces nothing (RENAME_NOREPLACE).
"""

import collections
import contextlib
import ctypes
import errno
import multiprocessing
import os
import pickle
import random
import stat
import time

from history import UNKNOWN, Operation
from linearizability_models import OBSERVED_BY_ERROR

DIRECTORIES = ("d0", "d1", "d2", "d3")
EXCHANGING = ("d0", "d1")  # names are renamed from one to the other
NAMES = ("a", "b", "c", "d")
WEIGHTS = {"create": 4, "mkdir": 2, "unlink": 3, "rmdir": 2, "rename": 3, "rename_new": 3,
           "stat": 6, "list": 1, "resize": 2}
LOOKS = ("stat", "list")
RENAME_NOREPLACE = 1
AT_FDCWD = -100

libc = ctypes.CDLL(None, use_errno=True)


def rename_new(source, target):
    if libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target),
                      RENAME_NOREPLACE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


class Client:
    """Draws and does operations until it is told to stop. Confined to its process."""

    def __init__(self, number, mounts, seed, rest):
        self.number, self.rest = number, rest
        self.mount_number = number % len(mounts)
        only_looks = self.mount_number == len(mounts) - 1
        self.weights = {kind: weight for kind, weight in WEIGHTS.items()
                        if kind in LOOKS or not only_looks}
        self.mount = mounts[self.mount_number]
        self.chance = random.Random(f"{seed} {number}")
        self.own_name = f"m{self.mount_number}"
        self.all_names = NAMES + tuple(f"m{other}" for other in range(len(mounts)))
        self.operations, self.unexpected = [], collections.Counter()

    def run(self, stop):
        kinds, weights = list(self.weights), list(self.weights.values())
        while not stop.is_set():
            [kind] = self.chance.choices(kinds, weights)
            getattr(self, kind)()
            time.sleep(self.chance.random() * self.rest)

    def path(self, name):
        return os.path.join(self.mount, *name)

    def any_name(self):
        return self.chance.choice(DIRECTORIES), self.chance.choice(self.all_names)

    def shared_name(self, directory=None):
        return directory or self.chance.choice(DIRECTORIES), self.chance.choice(NAMES)

    def directory_beside(self, directory):
        across = directory in EXCHANGING and self.chance.random() < 0.3
        return self.chance.choice(EXCHANGING) if across else directory

    def record(self, kind, names, call, known=None):
        """`call` answers what it saw; `known` is the answer as far as the caller knows it."""
        invoked = time.monotonic_ns()
        try:
            answer, outcome = call(), "ok"
        except OSError as error:
            answer, outcome = known or {}, errno.errorcode.get(error.errno, str(error.errno))
        returned = time.monotonic_ns()
        if outcome != "ok" and (kind, outcome) not in OBSERVED_BY_ERROR:
            # EIO, ETIMEDOUT, ESTALE and the like tell nothing of what has happened.
            self.unexpected[f"{kind} {outcome}"] += 1
            outcome = UNKNOWN
        self.operations.append(Operation(self.number, kind, names, invoked, returned, outcome,
                                         answer or known or {}))
        return outcome == "ok"

    def create(self):
        name = self.any_name()
        if name[1] not in NAMES:
            name = name[0], self.own_name

        def call():
            fd = os.open(self.path(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            self.opened = fd
            return {}

        # The inode is asked for when the call is over: it is the open file's and cannot change.
        if self.record("create", (name,), call):
            try:
                self.operations[-1].answer["inode"] = os.fstat(self.opened).st_ino
            except OSError as error:
                self.unexpected[f"fstat {errno.errorcode[error.errno]}"] += 1
                self.operations[-1].answer["inode"] = None
            finally:
                self.close(self.opened)

    def close(self, fd):
        try:
            os.close(fd)
        except OSError as error:
            self.unexpected[f"close {errno.errorcode[error.errno]}"] += 1

    def mkdir(self):
        name = self.shared_name()
        self.record("mkdir", (name,), lambda: os.mkdir(self.path(name)))

    def unlink(self):
        name = self.any_name()
        self.record("unlink", (name,), lambda: os.unlink(self.path(name)))

    def rmdir(self):
        name = self.shared_name()
        self.record("rmdir", (name,), lambda: os.rmdir(self.path(name)))

    def rename(self):
        source = self.chance.choice(DIRECTORIES), self.own_name
        target = self.shared_name(self.directory_beside(source[0]))
        self.record("rename", (source, target),
                    lambda: os.rename(self.path(source), self.path(target)))

    def rename_new(self):
        source = self.shared_name()
        target = self.shared_name(self.directory_beside(source[0]))
        self.record("rename_new", (source, target),
                    lambda: rename_new(self.path(source), self.path(target)))

    def stat(self):
        name = self.any_name()

        def call():
            seen = os.lstat(self.path(name))
            kind = "directory" if stat.S_ISDIR(seen.st_mode) else "file"
            return {"kind": kind, "inode": seen.st_ino, "size": seen.st_size}

        self.record("stat", (name,), call)

    def list(self):
        directory = self.chance.choice(DIRECTORIES)
        names = tuple((directory, name) for name in self.all_names)
        self.record("list", names, lambda: {"names": os.listdir(self.path((directory,)))})

    def resize(self):
        """Sets the size of an open file; which one it is has to be known first."""
        try:
            fd = os.open(self.path(self.shared_name()), os.O_WRONLY)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EISDIR):
                self.unexpected[f"open {errno.errorcode[error.errno]}"] += 1
            return
        try:
            with contextlib.suppress(OSError):
                inode = os.fstat(fd).st_ino
                size = self.chance.randrange(1, 1_000_000)
                self.record("ftruncate", (), lambda: os.ftruncate(fd, size),
                            {"inode": inode, "size": size})
        finally:
            self.close(fd)


def _client_process(client, stop, path):
    client.run(stop)
    with open(path, "wb") as file:
        pickle.dump((client.operations, client.unexpected), file)


class Recorder:
    """Eight clients at work, from entering the `with` block until finish()."""

    def __init__(self, mounts, seed, directory, clients=8, rest=0.01):
        context = multiprocessing.get_context("fork")
        self.stop = context.Event()
        self.mounts, self.directory = [str(mount) for mount in mounts], directory
        self.processes = {}
        for number in range(clients):
            path = directory / f"history{number}.pickle"
            client = Client(number, self.mounts, seed, rest)
            self.processes[path] = context.Process(target=_client_process,
                                                   args=(client, self.stop, path))
        self.history, self.unexpected = [], collections.Counter()

    def __enter__(self):
        for directory in DIRECTORIES:
            os.mkdir(os.path.join(self.mounts[0], directory))
        for process in self.processes.values():
            process.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for process in self.processes.values():
            process.join(1)
            if process.is_alive():
                process.kill()
                process.join(10)

    def finish(self, seconds=90):
        """Waits for the calls under way, each at most as long as a mount waits, and collects."""
        self.stop.set()
        deadline = time.monotonic() + seconds
        for path, process in self.processes.items():
            process.join(max(0, deadline - time.monotonic()))
            assert not process.is_alive(), f"a client hangs: {path.stem}"
            assert process.exitcode == 0, f"a client failed: {path.stem}"
            with open(path, "rb") as file:
                operations, unexpected = pickle.load(file)
            self.history += operations
            self.unexpected += unexpected
        self.history.sort(key=lambda operation: operation.invoked)
        return self.history
