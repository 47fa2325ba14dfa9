"""Eight clients on a real cluster of three metaservers while the leader is killed, stopped and cut
off: is there one order of all they did that explains every answer? What is checked, and what is
not, is told in linearizability_models.py.

  linearizability_test.py [--seconds S] [CASE...]     CAIRN_SEED repeats the clients' choices
"""

import argparse
import contextlib
import ctypes
import itertools
import os
import pathlib
import random
import signal
import socket
import sys
import tempfile
import threading
import time

import history as histories
from hand_made import hand_made_cluster
from harness import cluster, main, wait_until
from linearizability_faults import FaultLog, assert_counts
from linearizability_models import violations
from linearizability_network import Network
from linearizability_recorder import Recorder

SEED = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 30)))
SECONDS = 60
PORT = 5000
CLONE_NEWNET = 0x40000000


def check(recorder, faults, least_faults):
    """The history counts, and it is linearizable. If not, it is kept."""
    history = recorder.finish()
    for fault in faults:
        print(f"     {fault}", flush=True)
    unknown = sum(operation.unknown for operation in history)
    print(f"     {len(history)} operations, {unknown} without an answer "
          f"{dict(recorder.unexpected)}", flush=True)
    assert_counts(history, faults, least_faults=least_faults)
    started = time.monotonic()
    found = violations(history)
    print(f"     checked in {time.monotonic() - started:.1f} s", flush=True)
    if found:
        kept = pathlib.Path(tempfile.gettempdir()) / f"cairn-history-{SEED}.jsonl"
        histories.save(history, kept)
        raise AssertionError(f"{len(found)} contradictions (seed {SEED}, history in {kept})\n" +
                             "\n".join(map(str, found[:3])))


def strike_until_the_end(c, kinds, chance):
    """Faults, one after the other, each given as (kind, strike, heal, seconds it lasts)."""
    log, ends = FaultLog(c), time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < ends or number < max(3, len(kinds)):
        kind, strike, heal, lasts = kinds[number % len(kinds)]
        log.strike_leader(kind, strike, heal, lambda: rest(lasts(chance)))
        rest(chance.uniform(0.5, 2))
        number += 1
    return log.faults


def rest(seconds):
    """Load goes on meanwhile; that is what is waited for."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, seconds + 5, "time to pass")


@contextlib.contextmanager
def recorded(c):
    with Recorder(c.mounts, SEED, c.root) as recorder:
        yield recorder


def killed_leaders():
    chance = random.Random(SEED)
    with cluster(meta=3, chunkservers=1, copies=1, mounts=3) as c, recorded(c) as recorder:
        kinds = [("kill", lambda leader: c.kill("meta", leader),
                  lambda leader: c.start("meta", leader), lambda chance: chance.uniform(0, 3))]
        faults = strike_until_the_end(c, kinds, chance)
        check(recorder, faults, least_faults=3)
        c.meta_hash()


def stopped_leaders():
    """Alone, or together with the mount that only looks, as when one host sleeps: that mount still
    knows the old leader when both wake up."""
    chance = random.Random(SEED)
    with cluster(meta=3, chunkservers=1, copies=1, mounts=3) as c, recorded(c) as recorder:
        def sleep_both(leader):
            os.kill(c.pid("client3"), signal.SIGSTOP)
            c.pause("meta", leader)

        def wake_both(leader):
            os.kill(c.pid("client3"), signal.SIGCONT)
            os.kill(c.pid(f"meta{leader}"), signal.SIGCONT)

        kinds = [("sleep beside a mount", sleep_both, wake_both),
                 ("pause", lambda leader: c.pause("meta", leader),
                  lambda leader: c.resume("meta", leader))]
        faults = strike_until_the_end(c, [(*kind, lambda chance: chance.uniform(2, 9))
                                          for kind in kinds], chance)
        check(recorder, faults, least_faults=3)
        c.meta_hash()


def leaders_cut_off():
    """From the others in both directions or in one, while clients still reach it; or from all."""
    chance = random.Random(SEED)
    with Network(3) as network, \
            hand_made_cluster(network=network, mounts=3) as c, recorded(c) as recorder:
        kinds = [(name, strike, lambda _: network.heal(), lambda chance: chance.uniform(1, 5))
                 for name, strike in (("isolation", network.isolate), ("muting", network.mute),
                                      ("deafening", network.deafen),
                                      ("unplugging", network.unplug))]
        faults = strike_until_the_end(c, kinds, chance)
        check(recorder, faults, least_faults=4)
        c.meta_hash()


def socket_inside(network, number):
    """A socket stays in the namespace where it was made; so the thread that made it may end."""
    made = []

    def make():
        with open(f"/run/netns/{network.namespace(f'meta{number}')}", "rb") as namespace:
            assert ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) == 0
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    made[0].bind((network.address(number), PORT))
    made[0].settimeout(0.2)
    return made[0]


def lost_ways(network, sockets):
    """(source, target) for each way that a packet does not go."""
    lost = set()
    for source, target in itertools.permutations(sockets, 2):
        sockets[source].sendto(b"packet", (network.address(target), PORT))
        try:
            sockets[target].recv(9)
        except TimeoutError:
            lost.add((source, target))
    return lost


def the_network_loses_what_it_is_told_to_lose():
    with Network(3) as network, contextlib.ExitStack() as stack:
        sockets = {number: stack.enter_context(socket_inside(network, number))
                   for number in network.numbers}
        from_1, to_1 = {(1, 2), (1, 3)}, {(2, 1), (3, 1)}
        for cut, expected in ((network.isolate, from_1 | to_1), (network.mute, from_1),
                              (network.deafen, to_1), (network.unplug, from_1 | to_1)):
            cut(1)
            lost = lost_ways(network, sockets)
            assert lost == expected, (cut.__name__, lost)
            network.heal()
            wait_until(lambda: not lost_ways(network, sockets), 10, "the network to be whole")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of faults in each case")
    words, sys.argv[1:] = parser.parse_known_args()
    SECONDS = words.seconds
    print(f"seed {SEED} (CAIRN_SEED), {SECONDS} s", flush=True)
    main(killed_leaders, stopped_leaders, leaders_cut_off,
         the_network_loses_what_it_is_told_to_lose)
