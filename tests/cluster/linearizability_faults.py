"""When a history with faults counts: enough was done, and every fault struck whom it says while
somebody was at work."""

import dataclasses
import time

from harness import wait_until
from metaservers import leader_and_term, wait_whole

MOST_SECONDS_PER_CALL = 70  # a mount waits 60 s for the servers


@dataclasses.dataclass
class Fault:
    """From `began` to `ended` (monotonic nanoseconds) the metaserver `struck` was away."""
    kind: str
    struck: int
    term_before: int
    began: int
    leader_after: int = 0   # who led while it was away
    term_after: int = 0
    ended: int = 0

    def __str__(self):
        return (f"{self.kind} of metaserver {self.struck}, leader of term {self.term_before}, for "
                f"{(self.ended - self.began) / 1e9:.1f} s; then {self.leader_after} of term "
                f"{self.term_after}")


class FaultLog:
    """Strikes the leader, again and again, and remembers when."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.faults = []

    def strike_leader(self, kind, strike, heal, hold):
        """`strike(leader)`; once another one leads, hold() until heal(leader). At the end all three
        are a group again, so that the next fault is again one of three."""
        leader, term = wait_until(lambda: leader_and_term(self.cluster), 30, "a leader")
        fault = Fault(kind, leader, term, time.monotonic_ns())
        strike(leader)
        try:
            fault.leader_after, fault.term_after = wait_until(
                lambda: self._other_leader(fault), 30, f"another leader than {leader}")
            hold()
        finally:
            heal(leader)
            fault.ended = time.monotonic_ns()
            self.faults.append(fault)
        wait_whole(self.cluster)

    def _other_leader(self, fault):
        found = leader_and_term(self.cluster, but=fault.struck)
        return found if found and found[1] > fault.term_before else None


def assert_counts(history, faults, least_operations=1000, least_faults=1):
    """An idle fault shows nothing, neither does a short history."""
    completed = sum(not operation.unknown for operation in history)
    assert completed >= least_operations, f"only {completed} operations completed"
    assert len(faults) >= least_faults, f"only {len(faults)} faults"
    for fault in faults:
        assert fault.leader_after not in (0, fault.struck), f"it did not strike a leader: {fault}"
        assert fault.term_after > fault.term_before, f"nobody took over: {fault}"
        meanwhile = [operation for operation in history
                     if operation.invoked < fault.ended and operation.returned > fault.began]
        assert any(operation.kind not in ("stat", "list") for operation in meanwhile), \
            f"nothing was going on: {fault}"
    longest = max(operation.returned - operation.invoked for operation in history) / 1e9
    assert longest < MOST_SECONDS_PER_CALL, f"a call took {longest:.1f} s"
