"""Histories that are linearizable by construction, and ways to spoil them; to test the checker.

The directories here are plain dictionaries and know nothing of the checker's own model.
"""

import dataclasses

from history import UNKNOWN, Operation

CHANGES = ("create", "mkdir", "unlink", "rmdir", "rename", "rename_new", "ftruncate")
KINDS = CHANGES + ("stat", "stat", "list")


class Namespace:
    """Directories of files and empty directories, done one operation after the other."""

    def __init__(self):
        self.entries = {}  # (directory, name) -> (kind, inode)
        self.sizes = {}    # inode -> bytes
        self.last_inode = 100

    def run(self, kind, names, answer):
        """(outcome, answer), and the change."""
        method = getattr(self, "rename" if kind.startswith("rename") else kind)
        return method(kind, names, answer)

    def create(self, kind, names, _):
        if names[0] in self.entries:
            return "EEXIST", {}
        self.last_inode += 1
        self.entries[names[0]] = ("file" if kind == "create" else "directory", self.last_inode)
        self.sizes[self.last_inode] = 0
        return "ok", {"inode": self.last_inode} if kind == "create" else {}

    mkdir = create

    def unlink(self, kind, names, _):
        wanted, error = ("file", "EISDIR") if kind == "unlink" else ("directory", "ENOTDIR")
        if names[0] not in self.entries:
            return "ENOENT", {}
        if self.entries[names[0]][0] != wanted:
            return error, {}
        del self.entries[names[0]]
        return "ok", {}

    rmdir = unlink

    def rename(self, kind, names, _):
        source, target = names
        if source not in self.entries:
            return "ENOENT", {}
        if kind == "rename_new" and target in self.entries:
            return "EEXIST", {}
        if source == target:
            return "ok", {}
        if target in self.entries:
            kinds = self.entries[source][0], self.entries[target][0]
            if kinds[0] != kinds[1]:
                return "EISDIR" if kinds[0] == "file" else "ENOTDIR", {}
        self.entries[target] = self.entries.pop(source)
        return "ok", {}

    def stat(self, _, names, __):
        if names[0] not in self.entries:
            return "ENOENT", {}
        kind, inode = self.entries[names[0]]
        return "ok", {"kind": kind, "inode": inode, "size": self.sizes[inode]}

    def list(self, _, names, __):
        return "ok", {"names": [name for directory, name in self.entries
                                if directory == names[0][0]]}

    def ftruncate(self, _, __, answer):
        self.sizes[answer["inode"]] = answer["size"]
        return "ok", answer


class Client:
    """Draws operations of one client; each has its instant somewhere between call and answer."""

    def __init__(self, number, chance, directories, names):
        self.number, self.chance = number, chance
        self.directories, self.names = directories, names
        self.now = chance.randrange(1000)

    def name(self, directory=None):
        return directory or self.chance.choice(self.directories), self.chance.choice(self.names)

    def pick_names(self, kind):
        if kind == "ftruncate":
            return ()
        first = self.name()
        if kind == "list":
            return tuple((first[0], name) for name in self.names)
        if not kind.startswith("rename"):
            return (first,)
        # Only the first two directories exchange names.
        across = first[0] in self.directories[:2] and self.chance.random() < 0.3
        return first, self.name(self.chance.choice(self.directories[:2]) if across else first[0])

    def next_call(self):
        """(invoked, instant, returned, kind, names)"""
        kind = self.chance.choice(KINDS)
        invoked = self.now + self.chance.randrange(100)
        returned = invoked + 1 + self.chance.randrange(1000)
        self.now = returned + 1
        return (invoked, self.chance.randrange(invoked, returned + 1), returned, kind,
                self.pick_names(kind))


def linearizable_history(chance, clients=8, operations=2000, directories=3, names=4, unknown=0.0):
    """Random. A share `unknown` of the changes has no answer; half of those happen, some late."""
    places = [f"d{number}" for number in range(directories)]
    letters = [chr(ord("a") + number) for number in range(names)]
    calls = []
    for number in range(clients):
        client = Client(number, chance, places, letters)
        calls += [(client.number, *client.next_call()) for _ in range(operations // clients)]
    instants = []
    for call in calls:
        lost = call[4] in CHANGES and chance.random() < unknown
        instant = call[2] + (chance.randrange(3000) if lost else 0)
        instants.append((instant, lost, chance.random() < 0.5, call))
    return _run(sorted(instants, key=lambda entry: entry[0]), chance)


def _run(instants, chance):
    namespace = Namespace()
    history = []
    for _, lost, happens, (client, invoked, _, returned, kind, names) in instants:
        answer = {}
        if kind == "ftruncate":
            files = [inode for inode_kind, inode in namespace.entries.values()
                     if inode_kind == "file"]
            if not files:
                continue
            answer = {"inode": chance.choice(files), "size": chance.randrange(5)}
        if lost:
            if happens:
                namespace.run(kind, names, answer)
            outcome = UNKNOWN
        else:
            outcome, answer = namespace.run(kind, names, answer)
        history.append(Operation(client, kind, names, invoked, returned, outcome, answer))
    return sorted(history, key=lambda operation: operation.invoked)


def spoiled(history, chance):
    """The history with one answer turned into another one, and the operation it was."""
    while True:
        number = chance.randrange(len(history) // 4, len(history))
        other = _other_answer(history[number], chance)
        if other is not None:
            return history[:number] + [other] + history[number + 1:], other


def _other_answer(operation, chance):
    def answered(outcome, answer=None):
        return dataclasses.replace(operation, outcome=outcome, answer=answer or {})

    known_inode = {"inode": 1_000_000 + chance.randrange(1_000_000)}
    match operation.kind, operation.outcome:
        case "create", "EEXIST":
            return answered("ok", known_inode)
        case "mkdir", "EEXIST":
            return answered("ok")
        case ("create" | "mkdir"), "ok":
            return answered("EEXIST")
        case ("unlink" | "rmdir" | "rename"), "ok":
            return answered("ENOENT")
        case ("unlink" | "rmdir"), "ENOENT":
            return answered("ok")
        case "stat", "ok":
            return answered("ENOENT")
        case "stat", "ENOENT":
            return answered("ok", {"kind": "file", "size": 0, **known_inode})
    return None
