"""The checker of histories, with histories made by hand and by chance."""

import dataclasses
import itertools
import os
import random
import tempfile
import time

import history as histories
from harness import main
from history import UNKNOWN, Operation
from linearizability import NEVER, Step, first_unexplained
from linearizability_generator import linearizable_history, spoiled
from linearizability_models import partitions_of, violations

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))


def call(client, span, words, outcome="ok", **answer):
    """`words`: a kind and names, `create d/a`; `span`: when it was called and answered."""
    kind, *names = words.split()
    names = tuple(tuple(name.split("/")) for name in names)
    return Operation(client, kind, names, *span, outcome, answer)


def is_file(inode, size=0):
    return {"kind": "file", "inode": inode, "size": size}


def is_directory(inode):
    return {"kind": "directory", "inode": inode, "size": 0}


def assert_explained(*history):
    assert not violations(history), violations(history)[0]


def assert_contradictory(*history, window=None):
    found = violations(history)
    assert len(found) == 1, f"{len(found)} violations: {list(map(str, found))}"
    if window is not None:
        assert len(found[0].window) == window, f"a window of {window} expected, not {found[0]}"
    return found[0]


def overlapping_calls_may_happen_in_either_order():
    create = call(1, (0, 100), "create d/a", inode=7)
    assert_explained(create, call(2, (50, 60), "stat d/a", "ENOENT"))
    assert_explained(create, call(2, (50, 60), "stat d/a", **is_file(7)))
    assert_explained(create, call(2, (50, 60), "stat d/a", "ENOENT"),
                     call(2, (70, 80), "stat d/a", **is_file(7)))
    assert_contradictory(create, call(2, (50, 60), "stat d/a", **is_file(7)),
                         call(2, (70, 80), "stat d/a", "ENOENT"))


def calls_of_the_same_instant_overlap():
    assert_explained(call(1, (0, 10), "create d/a", inode=7),
                     call(2, (10, 20), "stat d/a", "ENOENT"))


def a_stale_read_is_found():
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(2, (11, 20), "stat d/a", "ENOENT"), window=2)
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(1, (11, 20), "unlink d/a"),
                         call(2, (21, 30), "stat d/a", **is_file(7)))


def a_lost_update_is_found():
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(1, (11, 20), "ftruncate", inode=7, size=5),
                         call(2, (21, 30), "stat d/a", **is_file(7, size=0)), window=2)
    assert_contradictory(call(1, (0, 10), "mkdir d/a"),
                         call(2, (11, 20), "rmdir d/a", "ENOENT"), window=2)


def a_change_that_changes_nothing_now_may_come_after_another():
    history = [call(1, (0, 10), "create d/a", inode=7),
               call(1, (11, 20), "ftruncate", inode=7, size=4),
               call(1, (30, 100), "ftruncate", inode=7, size=4),
               call(2, (30, 90), "ftruncate", inode=7, size=1)]
    for size in (1, 4):
        assert_explained(*history, call(2, (110, 120), "stat d/a", **is_file(7, size)))
    at_once = [call(client, (30, 100), "ftruncate", inode=7, size=size)
               for client, size in ((1, 4), (2, 1), (3, 4))]
    looks = [call(4, (start, start + 5), "stat d/a", **is_file(7, size))
             for start, size in ((40, 4), (50, 1), (60, 4))]
    assert_explained(history[0], *at_once, *looks)


def two_exclusive_creates_of_one_name_are_found():
    assert_contradictory(call(1, (0, 100), "create d/a", inode=7),
                         call(2, (0, 100), "create d/a", inode=8), window=2)
    assert_explained(call(1, (0, 100), "create d/a", inode=7),
                     call(3, (0, 100), "unlink d/a"),
                     call(2, (0, 100), "create d/a", inode=8))


def an_error_for_its_own_success_is_found():
    # What a retry that runs twice looks like.
    assert_contradictory(call(1, (0, 10), "mkdir d/a", "EEXIST"),
                         call(1, (11, 20), "stat d/a", **is_directory(7)))
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(1, (11, 20), "rename_new d/a d/b", "ENOENT"),
                         call(1, (21, 30), "stat d/b", **is_file(7)))


def a_name_that_comes_back_is_found():
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(1, (11, 20), "unlink d/a"),
                         call(2, (21, 30), "create d/a", "EEXIST"), window=2)


def another_file_under_a_name_is_found():
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(2, (11, 20), "stat d/a", **is_file(8)), window=2)


def an_inode_given_out_twice_is_found():
    assert_contradictory(call(1, (0, 10), "create d/a", inode=7),
                         call(2, (11, 20), "unlink d/a"),
                         call(2, (21, 30), "create e/b", inode=7))


def a_torn_rename_is_found():
    create = call(1, (0, 10), "create d/a", inode=7)
    rename = call(1, (11, 50), "rename d/a d/b")
    both_gone = call(2, (20, 25), "stat d/a", "ENOENT"), call(2, (30, 35), "stat d/b", "ENOENT")
    both_there = (call(2, (20, 25), "stat d/b", **is_file(7)),
                  call(2, (30, 35), "stat d/a", **is_file(7)))
    assert_contradictory(create, rename, *both_gone)
    assert_contradictory(create, rename, *both_there)


def a_replaced_name_is_never_absent():
    old = call(1, (0, 10), "create d/a", inode=7)
    new = call(1, (11, 20), "create d/b", inode=8)
    replace = call(1, (21, 100), "rename d/b d/a")
    for inode in (7, 8):
        assert_explained(old, new, replace, call(2, (50, 60), "stat d/a", **is_file(inode)))
    assert_contradictory(old, new, replace, call(2, (50, 60), "stat d/a", "ENOENT"))


def a_rename_across_directories_joins_them():
    history = [call(1, (0, 10), "create d/a", inode=7),
               call(1, (11, 20), "rename_new d/a e/a"),
               call(2, (21, 30), "stat e/a", **is_file(7)),
               call(2, (31, 40), "stat f/a", "ENOENT")]
    assert_explained(*history)
    partitions = [partition.name for partition in partitions_of(history)]
    assert sorted(partitions) == ["d and e", "f", "size of inode 7"], partitions
    assert_contradictory(*history, call(2, (41, 50), "stat d/a", **is_file(7)))


def a_listing_tells_of_each_name_alone():
    first = call(1, (0, 10), "create d/a", inode=7)
    renamed = call(1, (20, 40), "rename d/a d/b")
    for names in (["a"], ["b"], ["a", "b"], []):  # the two looks may be on either side
        assert_explained(first, renamed, call(2, (15, 45), "list d/a d/b", names=names))
    assert_contradictory(first, call(2, (15, 45), "list d/a d/b", names=[]))
    assert_contradictory(first, renamed, call(2, (50, 60), "list d/a d/b", names=["a", "b"]))


def a_change_without_an_answer_happens_later_or_never():
    lost = call(1, (0, 10), "mkdir d/a", UNKNOWN)
    absent = [call(2, (start, start + 5), "stat d/a", "ENOENT") for start in (20, 40)]
    there = [call(2, (start, start + 5), "stat d/a", **is_directory(9)) for start in (60, 80)]
    assert_explained(lost)
    assert_explained(lost, *absent)
    assert_explained(lost, *absent, *there)
    assert_contradictory(lost, *there, call(2, (100, 110), "stat d/a", "ENOENT"))
    assert_contradictory(call(1, (50, 51), "mkdir d/a", UNKNOWN), *absent,
                         call(2, (46, 49), "stat d/a", **is_directory(9)))


def a_lost_change_happens_at_most_once():
    lost = call(1, (0, 10), "create d/a", UNKNOWN)
    unlinks = [call(2, (20, 30), "unlink d/a"), call(2, (31, 40), "unlink d/a")]
    assert_explained(lost, unlinks[0])
    assert_contradictory(lost, *unlinks)


def a_directory_is_the_same_at_every_look():
    looks = [call(2, (20, 30), "stat d/a", **is_directory(9)),
             call(2, (40, 50), "stat d/a", **is_directory(10))]
    assert_contradictory(call(1, (0, 10), "mkdir d/a"), *looks, window=2)
    assert_explained(call(1, (0, 10), "mkdir d/a"), looks[0], call(1, (31, 35), "rmdir d/a"),
                     call(1, (36, 39), "mkdir d/a"), looks[1])


def errors_tell_of_the_kind_of_entry():
    made = [call(1, (0, 5), "create d/file", inode=7), call(1, (6, 9), "mkdir d/dir")]
    for words, outcome in (("unlink d/dir", "EISDIR"), ("rmdir d/file", "ENOTDIR"),
                           ("rename d/file d/dir", "EISDIR"),
                           ("rename d/dir d/file", "ENOTDIR")):
        assert_explained(*made, call(2, (10, 20), words, outcome))
    assert_contradictory(*made, call(2, (10, 20), "unlink d/file", "EISDIR"))
    assert_contradictory(*made, call(2, (10, 20), "unlink d/dir"))
    assert_contradictory(*made, call(2, (10, 20), "rename_new d/file d/free", "EEXIST"))


def the_window_leaves_out_what_does_not_matter():
    """A stale read after a thousand operations is told in two lines."""
    chance = random.Random(SEED)
    good = linearizable_history(chance, operations=1000)
    end = max(operation.returned for operation in good) + 10
    stale = [call(1, (end, end + 10), "mkdir d0/new"),
             call(2, (end + 20, end + 30), "stat d0/new", "ENOENT")]
    violation = assert_contradictory(*good, *stale, window=2)
    assert [step.operation for step in violation.window] == stale, violation


def histories_survive_a_file():
    history = linearizable_history(random.Random(SEED), operations=200, unknown=0.1)
    with tempfile.NamedTemporaryFile() as file:
        histories.save(history, file.name)
        assert histories.load(file.name) == history


def correct_histories_pass():
    for number in range(20):
        chance = random.Random(SEED + number)
        history = linearizable_history(chance, clients=chance.choice([2, 4, 8, 16]),
                                       operations=1000, names=chance.choice([2, 4, 8]),
                                       unknown=chance.choice([0, 0, 0.01]))
        found = violations(history)
        assert not found, f"seed {SEED}, history {number}: {found[0]}"


def one_wrong_answer_is_mostly_found():
    """Mostly: another order of what overlaps may well explain it."""
    found = 0
    for number in range(100):
        chance = random.Random(SEED + number)
        history = linearizable_history(chance, clients=4, operations=400)
        found += bool(violations(spoiled(history, chance)[0]))
    assert found >= 60, f"only {found} of 100 (seed {SEED})"


def thousands_of_operations_take_seconds():
    history = linearizable_history(random.Random(SEED), operations=20_000, directories=4)
    started = time.monotonic()
    assert not (found := violations(history)), found[0]
    took = time.monotonic() - started
    assert took < 60, f"{took:.1f} s for {len(history)} operations (seed {SEED})"


def is_linearizable_by_trial(steps, initial):
    """Every order of every choice of operations that may not have happened."""
    certain = [step for step in steps if step.returned != NEVER]
    perhaps = [step for step in steps if step.returned == NEVER]
    for count in range(len(perhaps) + 1):
        for happened in itertools.combinations(perhaps, count):
            for order in itertools.permutations(certain + list(happened)):
                if keeps_time(order) and explains(order, initial):
                    return True
    return False


def keeps_time(order):
    return not any(later.returned < earlier.invoked
                   for earlier, later in itertools.combinations(order, 2))


def explains(order, initial):
    states = {initial}
    for step in order:
        states = {after for state in states for after in step.effect(state)}
    return bool(states)


def the_search_agrees_with_trying_every_order():
    outcomes = {True: 0, False: 0}
    for number in range(700):
        chance = random.Random(SEED + number)
        history = linearizable_history(chance, clients=3, operations=6, directories=1, names=2,
                                       unknown=0.2)
        if chance.random() < 0.7:
            history = anything_answered(history, chance)
        for partition in partitions_of(history):
            expected = is_linearizable_by_trial(partition.steps, partition.initial)
            found = first_unexplained(partition.steps, partition.initial) is None
            assert found == expected, \
                f"seed {SEED + number}: {expected} by trial: {[str(o) for o in history]}"
            outcomes[expected] += 1
    assert min(outcomes.values()) > 40, outcomes


def anything_answered(history, chance):
    """One answer is replaced by one of another operation of the same kind, or by success."""
    number = chance.randrange(len(history))
    alike = [operation for operation in history if operation.kind == history[number].kind]
    other = chance.choice(alike)
    changed = dataclasses.replace(history[number], outcome=other.outcome, answer=other.answer)
    if len(alike) == 1 and changed.kind in ("mkdir", "unlink", "rmdir", "rename"):
        changed = dataclasses.replace(changed, outcome="ok", answer={})
    return history[:number] + [changed] + history[number + 1:]


def an_operation_that_explains_itself_only_now_is_given_its_instant_late():
    # Two changes overlap a third; only create, rename, create gives these answers.
    def state_is(expected):
        return lambda state: [state] if state == expected else []

    steps = [Step(0, 100, lambda state: [state + "a"], "a"),
             Step(0, 100, lambda state: [state + "b"], "b"),
             Step(110, 120, state_is("ba"), "read")]
    assert first_unexplained(steps, "") is None
    assert first_unexplained(steps + [Step(130, 140, state_is("ab"), "read")], "") is not None


if __name__ == "__main__":
    print(f"seed {SEED} (CAIRN_SEED)", flush=True)
    main(overlapping_calls_may_happen_in_either_order, calls_of_the_same_instant_overlap,
         a_stale_read_is_found, a_lost_update_is_found,
         a_change_that_changes_nothing_now_may_come_after_another,
         two_exclusive_creates_of_one_name_are_found, an_error_for_its_own_success_is_found,
         a_name_that_comes_back_is_found, another_file_under_a_name_is_found,
         an_inode_given_out_twice_is_found, a_torn_rename_is_found,
         a_replaced_name_is_never_absent, a_rename_across_directories_joins_them,
         a_listing_tells_of_each_name_alone, a_change_without_an_answer_happens_later_or_never,
         a_lost_change_happens_at_most_once, a_directory_is_the_same_at_every_look,
         errors_tell_of_the_kind_of_entry, the_window_leaves_out_what_does_not_matter,
         histories_survive_a_file, correct_histories_pass, one_wrong_answer_is_mostly_found,
         thousands_of_operations_take_seconds, the_search_agrees_with_trying_every_order,
         an_operation_that_explains_itself_only_now_is_given_its_instant_late)
