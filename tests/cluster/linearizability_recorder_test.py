"""What the clients record, on file systems of this machine; and which records count."""

import dataclasses
import os
import pathlib
import random
import tempfile
import time

from harness import main, wait_until
from history import Operation
from linearizability_faults import Fault, assert_counts
from linearizability_models import violations
from linearizability_recorder import DIRECTORIES, Recorder

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))
MILLISECOND = 1_000_000


def recorded(mounts, directory, seconds=2):
    with Recorder(mounts, SEED, directory, rest=0.005) as recorder:
        until = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > until, 10, "the clients to work a while")
        history = recorder.finish()
    assert not recorder.unexpected, recorder.unexpected
    assert len(history) > 500, len(history)
    return violations(history)


def what_the_clients_record_of_a_local_file_system_is_linearizable():
    # In memory, where inode numbers are not used again.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as root:
        root = pathlib.Path(root)
        (root / "m").mkdir()
        found = recorded([root / "m", root / "m"], root)
        assert not found, f"{found[0]} (seed {SEED})"


def two_file_systems_do_not_pass_for_one():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as root:
        root = pathlib.Path(root)
        for mount in ("m", "n"):
            (root / mount).mkdir()
        for directory in DIRECTORIES:
            (root / "n" / directory).mkdir()
        assert recorded([root / "m", root / "n"], root)


def counts(history, *faults):
    try:
        assert_counts(history, faults)
        return True
    except AssertionError:
        return False


def steady_history(operations=2000, kind="mkdir"):
    """One operation after the other, each of a millisecond."""
    return [Operation(1, kind, (("d", "a"),), number * MILLISECOND, (number + 1) * MILLISECOND,
                      "EEXIST", {}) for number in range(operations)]


FAULT = Fault("kill", 1, 4, began=100 * MILLISECOND, leader_after=2, term_after=5,
              ended=200 * MILLISECOND)


def a_short_history_does_not_count():
    assert counts(steady_history(), FAULT)
    assert not counts(steady_history(999), FAULT)


def a_fault_during_which_nobody_changed_anything_does_not_count():
    idle = [operation for operation in steady_history()
            if operation.returned <= FAULT.began or operation.invoked >= FAULT.ended]
    assert not counts(idle, FAULT)
    assert not counts(steady_history(kind="stat"), FAULT)
    assert not counts(steady_history())


def a_fault_that_did_not_strike_the_leader_does_not_count():
    for wrong in ({"leader_after": 1}, {"leader_after": 0, "term_after": 0}, {"term_after": 4}):
        assert not counts(steady_history(), dataclasses.replace(FAULT, **wrong))


def a_call_that_outlasts_the_patience_of_a_mount_is_told():
    slow = dataclasses.replace(steady_history(1)[0], returned=80_000 * MILLISECOND)
    assert not counts([slow] + steady_history(), FAULT)


if __name__ == "__main__":
    print(f"seed {SEED} (CAIRN_SEED)", flush=True)
    main(what_the_clients_record_of_a_local_file_system_is_linearizable,
         two_file_systems_do_not_pass_for_one, a_short_history_does_not_count,
         a_fault_during_which_nobody_changed_anything_does_not_count,
         a_fault_that_did_not_strike_the_leader_does_not_count,
         a_call_that_outlasts_the_patience_of_a_mount_is_told)
