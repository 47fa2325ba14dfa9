"""What a shared directory and a file's size promise, for the search in linearizability.py.

Checked are operations on names (create with O_EXCL, mkdir, unlink, rmdir, rename, stat: kind and
inode, and per name whether a listing showed it) and the size of an inode (ftruncate, and the size
that stat tells). A listing as a whole is not one instant, as POSIX has it.

Each directory is a partition of its own, so is each inode's size. A rename from one directory to
another joins the two.

Of two names that a failed rename looked at, only the one its error tells of is used: the kernel of
a mount looks the names up one after the other.
"""

import collections

from linearizability import NEVER, Step, TooHard, first_unexplained, smallest_window

# An entry of a directory: ABSENT, UNKNOWN, or (kind, inode), where ANY and None are not yet told.
ABSENT, UNKNOWN = None, "unknown"
FILE, DIRECTORY, ANY = "file", "directory", "any"


def with_entry(state, slot, entry):
    return state[:slot] + (entry,) + state[slot + 1:]


def observe_absent(slot):
    def effect(state):
        if state[slot] is ABSENT:
            return [state]
        return [with_entry(state, slot, ABSENT)] if state[slot] == UNKNOWN else []
    return effect


def observe_present(slot, kind=ANY, inode=None):
    def effect(state):
        entry = narrowed(state, slot, kind, inode)
        if entry is None:
            return []
        return [state] if entry is state[slot] else [with_entry(state, slot, entry)]
    return effect


def narrowed(state, slot, kind, inode):
    """The entry of `slot` with what is newly known of it; None if that cannot be."""
    entry = state[slot]
    if entry is ABSENT:
        return None
    known_kind, known_inode = (ANY, None) if entry == UNKNOWN else entry
    if kind not in (ANY, known_kind) and known_kind != ANY:
        return None
    if inode is not None and inode != known_inode:
        if known_inode is not None:
            return None
        known_inode = inode
    narrower = (known_kind if kind == ANY else kind, known_inode)
    return entry if narrower == entry else narrower


def add(slot, kind, inode):
    def effect(state):
        if state[slot] not in (ABSENT, UNKNOWN):
            return []
        return [with_entry(state, slot, (kind, inode))]
    return effect


def remove(slot, kind):
    def effect(state):
        if narrowed(state, slot, kind, None) is None:
            return []
        return [with_entry(state, slot, ABSENT)]
    return effect


def move(source, target, replaces):
    def effect(state):
        entry = narrowed(state, source, ANY, None)
        there = state[target]
        if entry is None or there not in (ABSENT, UNKNOWN) and not replaces:
            return []
        if source == target:
            return [state]
        if there not in (ABSENT, UNKNOWN):  # a file replaces a file, a directory an empty one
            entry = narrowed(state, source, there[0], None)
            if entry is None:
                return []
        return [with_entry(with_entry(state, source, ABSENT), target, entry)]
    return effect


OBSERVED_BY_ERROR = {
    ("create", "EEXIST"): (0, observe_present),
    ("mkdir", "EEXIST"): (0, observe_present),
    ("unlink", "ENOENT"): (0, observe_absent),
    ("unlink", "EISDIR"): (0, lambda slot: observe_present(slot, DIRECTORY)),
    ("rmdir", "ENOENT"): (0, observe_absent),
    ("rmdir", "ENOTDIR"): (0, lambda slot: observe_present(slot, FILE)),
    ("stat", "ENOENT"): (0, observe_absent),
    ("rename", "ENOENT"): (0, observe_absent),
    ("rename", "EISDIR"): (1, lambda slot: observe_present(slot, DIRECTORY)),
    ("rename", "ENOTDIR"): (1, lambda slot: observe_present(slot, FILE)),
    ("rename_new", "ENOENT"): (0, observe_absent),
    ("rename_new", "EEXIST"): (1, observe_present),
}


def effect_on_names(operation, slots):
    """Of an operation that happened, or that may have (outcome unknown)."""
    answer = operation.answer
    match operation.kind:
        case "create":
            return add(slots[0], FILE, answer.get("inode"))
        case "mkdir":
            return add(slots[0], DIRECTORY, None)
        case "unlink":
            return remove(slots[0], FILE)
        case "rmdir":
            return remove(slots[0], DIRECTORY)
        case "rename" | "rename_new":
            return move(*slots, replaces=operation.kind == "rename")
        case "stat":
            return observe_present(slots[0], answer["kind"], answer["inode"])
    raise ValueError(operation.kind)


def effect_on_size(operation):
    size = operation.answer["size"]
    if operation.kind == "ftruncate":
        return lambda state: [state] if state == size else [size]
    return lambda state: [state] if state == size else [size] if state == UNKNOWN else []


class Partition:
    """Steps on a state of their own."""

    def __init__(self, name, initial, unconstrained):
        self.name, self.initial, self.unconstrained = name, initial, unconstrained
        self.steps = []

    def violation(self):
        """None, or what contradicts itself, in words. TooHard passes through."""
        failed = first_unexplained(self.steps, self.initial)
        if failed is None:
            return None
        window = smallest_window(self.steps, failed, self.unconstrained)
        return Violation(self, failed, window)


class Violation:
    def __init__(self, partition, failed, window):
        self.partition, self.failed, self.window = partition, failed, window

    def __str__(self):
        start = min(step.invoked for step in self.window)
        lines = [f"{self.partition.name}: nothing explains the answer of the last of these "
                 f"{len(self.window)} operations (of {len(self.partition.steps)}; ms from the "
                 "first)"]
        for step in sorted(self.window, key=lambda step: step.returned):
            end = "       ?" if step.returned == NEVER else f"{(step.returned - start) / 1e6:8.3f}"
            lines.append(f"  {(step.invoked - start) / 1e6:8.3f} to {end}  {step.operation}")
        return "\n".join(lines)


class Directories:
    """Which directories have to be looked at together."""

    def __init__(self, operations):
        self.parent = {}
        for operation in operations:
            roots = [self.root(directory) for directory, _ in operation.names]
            if operation.moves:
                self.parent[roots[1]] = roots[0]

    def root(self, directory):
        self.parent.setdefault(directory, directory)
        while self.parent[directory] != directory:
            directory = self.parent[directory]
        return directory

    def groups(self):
        groups = collections.defaultdict(list)
        for directory in sorted(self.parent):
            groups[self.root(directory)].append(directory)
        return groups


def observations(operation):
    """(name, effect) for each single name that the operation tells of without changing it."""
    if operation.kind == "list":
        for name in operation.names:
            seen = name[1] in operation.answer["names"]
            yield name, observe_present if seen else observe_absent
    elif operation.error is not None:
        number, effect = OBSERVED_BY_ERROR[operation.kind, operation.error]
        yield operation.names[number], effect


def partition_names(operations):
    """`operations` on names; the directories were empty before."""
    directories = Directories(operations)
    groups = directories.groups()
    slots, partitions = {}, {}
    for operation in operations:
        for name in operation.names:
            of_group = slots.setdefault(directories.root(name[0]), {})
            of_group.setdefault(name, len(of_group))
    for root, of_group in slots.items():
        partitions[root] = Partition(" and ".join(groups[root]), (ABSENT,) * len(of_group),
                                     (UNKNOWN,) * len(of_group))
    for operation in operations:
        for root, step in steps_on_names(operation, directories, slots):
            partitions[root].steps.append(step)
    return list(partitions.values())


def steps_on_names(operation, directories, slots):
    """(partition, step) of an operation: one, but for a listing one for each name."""
    span = operation.invoked, NEVER if operation.unknown else operation.returned
    if operation.kind == "list" or operation.error is not None:
        for name, effect in observations(operation):
            root = directories.root(name[0])
            slot = slots[root][name]
            yield root, Step(*span, effect(slot), operation, 1 << slot, observes=True)
    else:
        root = directories.root(operation.names[0][0])
        touched = [slots[root][name] for name in operation.names]
        yield root, Step(*span, effect_on_names(operation, touched), operation,
                         sum(1 << slot for slot in set(touched)), operation.kind == "stat")


def partition_sizes(operations):
    """`operations` that set or tell the size of an inode that was made empty."""
    partitions = {}
    for operation in operations:
        inode = operation.answer["inode"]
        if inode not in partitions:
            partitions[inode] = Partition(f"size of inode {inode}", 0, UNKNOWN)
        span = operation.invoked, NEVER if operation.unknown else operation.returned
        partitions[inode].steps.append(Step(*span, effect_on_size(operation), operation,
                                            observes=operation.kind != "ftruncate"))
    return list(partitions.values())


def partitions_of(history):
    """What can be checked apart. A look (not a change) without an answer tells nothing."""
    told = [operation for operation in history
            if not operation.unknown or operation.kind not in ("stat", "list")]
    sizes = [operation for operation in told if operation.tells_size]
    names = [operation for operation in told if operation.names]
    return partition_names(names) + partition_sizes(sizes)


def inodes_given_twice(history):
    """Inode ids are never used again, not even after an unlink."""
    makers = {}
    for operation in history:
        if operation.kind == "create" and operation.answer.get("inode") is not None:
            makers.setdefault(operation.answer["inode"], []).append(operation)
    return [f"one inode was given out twice: {'; '.join(map(str, twice[:3]))}"
            for twice in makers.values() if len(twice) > 1]


def violations(history):
    """The first contradiction of each partition; those too hard to check are contradictions too,
    for nothing has been shown."""
    found = inodes_given_twice(history)
    for partition in partitions_of(history):
        try:
            violation = partition.violation()
        except TooHard as reason:
            violation = f"{partition.name}: not checked, {reason}"
        if violation is not None:
            found.append(violation)
    return found
