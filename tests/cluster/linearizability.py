"""Is there one order of these operations that explains every answer?

A history is linearizable if each operation can be given one instant between its call and its answer
such that the operations, done one after the other at those instants, give the answers that were
seen. The search is that of Wing and Gong with Lowe's two improvements: operations are given their
instant as late as possible ("just in time", when an answer has to be explained), and a
configuration, which is a state and the set of pending operations that already had their instant, is
never explored twice.

An operation whose outcome is unknown never gets its answer: it may have happened at any later time,
or never.

What an operation does to a state is told by a function `effect(state)`: a list of the states it can
lead to, empty if its answer cannot have been given there. An effect that changes nothing must
answer the very object it was given. States are immutable and hashable.
"""

import collections
import dataclasses
import math
import time

NEVER = math.inf


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """One operation as the search sees it. `returned` is NEVER if its outcome is unknown."""
    invoked: int
    returned: float
    effect: object
    operation: object        # what the caller wants to see in a report
    touches: int = 1         # the parts of the state, as bits, that it looks at or changes
    observes: bool = False   # its effect only ever tells of the state, it does not change it


class TooHard(Exception):
    """The search gave up: neither linearizable nor not."""


class _Frontier:
    """Configurations yet to be looked at, those with the fewest unknown operations first. Of two
    that differ only in those, the one with fewer can do whatever the other can: that is dropped."""

    def __init__(self, unknown_bits, most):
        self.unknown_bits, self.room = unknown_bits, most
        self.waiting = collections.defaultdict(list)  # number of unknown operations -> them
        self.seen = collections.defaultdict(list)     # the rest of it -> sets of unknown operations

    def add(self, mask, state):
        self.waiting[(mask & self.unknown_bits).bit_count()].append((mask, state))

    def __iter__(self):
        while self.waiting:
            count = min(self.waiting)
            mask, state = self.waiting[count].pop()
            if not self.waiting[count]:
                del self.waiting[count]
            if self._is_new(mask, state):
                yield mask, state

    def _is_new(self, mask, state):
        happened = mask & self.unknown_bits
        like_it = self.seen[mask & ~self.unknown_bits, state]
        if any(fewer & happened == fewer for fewer in like_it):
            return False
        like_it.append(happened)
        self.room -= 1
        if self.room < 0:
            raise TooHard("too many configurations for one answer")
        return True


class _Search:
    """The configurations that explain the history so far. A pending operation owns one bit."""

    def __init__(self, initial, most_configurations):
        self.configurations = [(0, initial)]
        self.most = most_configurations
        self.pending = {}         # bit -> Step, all that were called and not answered
        self.free_bits = []
        self.unknown_bits = 0

    def call(self, step):
        bit = self.free_bits.pop() if self.free_bits else 1 << len(self.pending)
        self.pending[bit] = step
        if step.returned == NEVER:
            self.unknown_bits |= bit
        elif step.observes:
            self.configurations = [
                (mask | bit, state) if is_explained(step, state) else (mask, state)
                for mask, state in self.configurations]
        return bit

    def answer(self, bit):
        """False if no configuration explains the answer."""
        frontier = _Frontier(self.unknown_bits, self.most)
        for configuration in self.configurations:
            frontier.add(*configuration)
        explained = []
        for mask, state in frontier:
            if mask & bit:
                explained.append((mask & ~bit, state))
                continue
            for reached in self._reachable(bit, mask, state):
                frontier.add(*reached)
        del self.pending[bit]
        self.free_bits.append(bit)
        self.configurations = explained
        return bool(explained)

    def _reachable(self, bit, mask, state):
        """By one more operation that has its instant now, for the sake of `bit`'s."""
        for other, step in self._related(bit, mask):
            for after in step.effect(state):
                if after is not state or step.returned != NEVER:  # else it need not have happened
                    yield self._settle(mask | other, after)

    def _related(self, bit, mask):
        """The pending operation of `bit`, and those that it may depend on, because they touch the
        same parts of the state, at first or second hand. The others can wait: their order relative
        to these does not matter."""
        related, touched = [(bit, self.pending[bit])], self.pending[bit].touches
        others = [(other, step) for other, step in self.pending.items()
                  if not mask & other and other != bit]
        while True:
            more = [entry for entry in others if entry[1].touches & touched]
            if not more:
                return related
            related += more
            others = [entry for entry in others if not entry[1].touches & touched]
            for _, step in more:
                touched |= step.touches

    def _settle(self, mask, state):
        """What only looks, and is explained here, loses nothing by having its instant here."""
        for bit, step in self.pending.items():
            if not mask & bit and step.observes and is_explained(step, state):
                mask |= bit
        return mask, state


def is_explained(step, state):
    """Of a step that observes; false also if its answer is possible but tells more of the state."""
    after = step.effect(state)
    return len(after) == 1 and after[0] is state


def first_unexplained(steps, initial, most_configurations=200_000):
    """The step whose answer nothing explains, or None if the history is linearizable.
    TooHard: the search would not end."""
    # Calls before answers of the same instant: such operations overlap.
    events = sorted([(step.invoked, 0, number) for number, step in enumerate(steps)] +
                    [(step.returned, 1, number) for number, step in enumerate(steps)
                     if step.returned != NEVER])
    search = _Search(initial, most_configurations)
    bits = {}
    for _, kind, number in events:
        if kind == 0:
            bits[number] = search.call(steps[number])
        elif not search.answer(bits.pop(number)):
            return steps[number]
    return None


def smallest_window(steps, failed, unconstrained):
    """The operations that contradict each other whatever the state was before: those from as late
    as possible up to the answer of `failed`, without the ones that do not matter, as far as that is
    found in 20 seconds. If it takes the whole history to see the contradiction: the last of it.

    `unconstrained` is the state of which nothing is known; effects may narrow it down.
    """
    # What had no answer by then may have any.
    window = _cut([step for step in steps if step.invoked <= failed.returned],
                  lambda step: step.returned <= failed.returned)

    gives_up = time.monotonic() + 20

    def contradictory(some):
        if time.monotonic() > gives_up:
            return False
        try:
            return first_unexplained(some, unconstrained, 3_000) is not None
        except TooHard:
            return False

    if not contradictory(window):
        return window[-40:]
    starts = sorted({step.invoked for step in window})
    low, high = 0, len(starts) - 1  # from starts[low] on it is contradictory
    while low < high:
        middle = (low + high + 1) // 2
        if contradictory(_since(window, starts[middle])):
            low = middle
        else:
            high = middle - 1
    return _without_needless(_since(window, starts[low]), contradictory)


def _cut(steps, is_certain):
    """Takes the answer away from steps that are not certain: the history gets easier to explain."""
    steps = [step if is_certain(step) else dataclasses.replace(step, returned=NEVER)
             for step in sorted(steps, key=lambda step: step.invoked)]
    return [step for step in steps if step.returned != NEVER or not step.observes]


def _since(steps, start):
    return _cut([step for step in steps if step.returned >= start],
                lambda step: step.invoked >= start)


def _without_needless(window, contradictory):
    """Only the steps whose answer is needed for the contradiction. The others may have happened or
    not, and it stays. Tried in halves, quarters, ..., single steps; what only looks first, for
    leaving that out makes the search shorter."""
    needed = sorted((step for step in window if step.returned != NEVER),
                    key=lambda step: not step.observes)
    size = max(1, len(needed) // 2)
    while True:
        for start in range(0, len(needed), size):
            leave = needed[start:start + size]
            rest = [step for step in needed if step not in leave]
            if contradictory(_cut(window, lambda step: step in rest)):
                needed = rest
                break
        else:
            if size == 1:
                return sorted(needed, key=lambda step: step.invoked)
            size //= 2
