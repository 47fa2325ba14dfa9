"""Operations as clients recorded them, and files of them."""

import dataclasses
import json

UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Operation:
    """One system call as its caller saw it; times are CLOCK_MONOTONIC nanoseconds."""
    client: int
    kind: str        # create, mkdir, unlink, rmdir, rename, rename_new, stat, list, ftruncate
    names: tuple     # of (directory, name): what it acts on; empty for ftruncate
    invoked: int
    returned: int
    outcome: str     # "ok", UNKNOWN, or the name of an errno
    answer: dict     # create, ftruncate: inode; stat: kind, inode, size; ftruncate: size set;
                     # list: names; otherwise empty

    @property
    def unknown(self):
        return self.outcome == UNKNOWN

    @property
    def error(self):
        return None if self.outcome in ("ok", UNKNOWN) else self.outcome

    @property
    def moves(self):
        """May have taken a name from one directory to another."""
        return self.kind in ("rename", "rename_new") and self.error is None

    @property
    def tells_size(self):
        if self.kind == "ftruncate":
            return self.error is None
        return self.kind == "stat" and self.answer.get("kind") == "file"

    def __str__(self):
        names = " -> ".join("/".join(name) for name in self.names)
        answer = "" if not self.answer else f" {self.answer}"
        return f"client {self.client}: {self.kind} {names} {self.outcome}{answer}"


def save(history, path):
    """One operation a line."""
    with open(path, "w", encoding="utf-8") as file:
        for operation in history:
            file.write(json.dumps(dataclasses.asdict(operation)) + "\n")


def load(path):
    with open(path, encoding="utf-8") as file:
        return [from_fields(json.loads(line)) for line in file]


def from_fields(fields):
    fields["names"] = tuple(tuple(name) for name in fields["names"])
    return Operation(**fields)
