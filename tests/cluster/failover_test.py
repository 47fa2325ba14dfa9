"""Leaders die, stop and hand over; applications notice a pause and nothing else.

  failover_test.py                 all cases
  failover_test.py CASE...         some
"""

import contextlib
import errno
import os
import threading
import time

from create_loop import CreateLoop, FioLoop, FreshReader
from harness import cluster, main, wait_until
from metaservers import leader_and_term, wait_whole

MOST_PAUSE = 5.0        # seconds; what is aimed at is printed beside what was measured
SMALL = {"meta": 3, "chunkservers": 1, "copies": 1}


def wait_for_files(loop, more, seconds=60):
    count = loop.count() + more
    wait_until(lambda: loop.count() >= count, seconds, f"{more} more files to be created")


def kill_leader_once(c, loop):
    """The longest pause that it made; the killed one is running again at the end."""
    wait_for_files(loop, 20)
    leader = c.leader()
    struck = time.monotonic()
    c.kill("meta", leader)
    wait_for_files(loop, 50)
    pause = loop.longest_pause(since=struck)
    assert c.leader() != leader
    c.start("meta", leader)
    wait_whole(c)
    return pause


def tell_pauses(what, pauses, aim):
    ordered = sorted(pauses)
    print(f"     {what}: longest pause in the create loop, median "
          f"{ordered[len(ordered) // 2] * 1000:.0f} ms, worst {ordered[-1] * 1000:.0f} ms, of "
          f"{len(ordered)} (aim {aim})", flush=True)


def a_create_loop_goes_on_when_the_leader_dies():
    with cluster(**SMALL) as c:
        with CreateLoop(c.mount / "loop") as loop:
            pause = kill_leader_once(c, loop)
            loop.finish()
        tell_pauses("kill", [pause], "< 2 s")
        assert pause < MOST_PAUSE, f"{pause:.1f} s"
        loop.assert_complete()
        c.meta_hash()


def ten_leaders_die_and_nobody_sees_an_error():
    with cluster(meta=3, mounts=2) as c:
        pauses = []
        with CreateLoop(c.mount / "loop") as loop, FioLoop(c.mount / "fio") as fio:
            for _ in range(10):
                pauses.append(kill_leader_once(c, loop))
            loop.finish()
            rounds = fio.finish()
        tell_pauses("kill", pauses, "< 2 s")
        assert rounds >= 2, f"only {rounds} rounds of fio"
        assert max(pauses) < MOST_PAUSE, pauses
        for mount in c.mounts:
            loop.assert_complete(mount / "loop")
        c.meta_hash()


def a_handover_is_hardly_noticed():
    with cluster(**SMALL) as c:
        pauses = []
        with CreateLoop(c.mount / "loop") as loop:
            for _ in range(10):
                wait_for_files(loop, 20)
                leader, struck = c.leader(), time.monotonic()
                c.cairn("meta", "transfer-leader", "--wait")
                assert c.leader() != leader, "it did not hand over"
                wait_for_files(loop, 20)
                pauses.append(loop.longest_pause(since=struck))
            loop.finish()
        tell_pauses("transfer-leader", pauses, "< 50 ms")
        assert sorted(pauses)[5] < 0.5 and max(pauses) < 2, pauses
        loop.assert_complete()
        c.meta_hash()


def a_leader_that_is_stopped_in_order_hands_over():
    with cluster(**SMALL) as c:
        pauses = []
        with CreateLoop(c.mount / "loop") as loop:
            for _ in range(5):
                wait_for_files(loop, 20)
                leader, struck = c.leader(), time.monotonic()
                c.stop("meta", leader)
                wait_for_files(loop, 20)
                pauses.append(loop.longest_pause(since=struck))
                c.start("meta", leader)
                wait_whole(c)
            loop.finish()
        tell_pauses("orderly stop", pauses, "< 50 ms")
        assert sorted(pauses)[2] < 0.5 and max(pauses) < 2, pauses
        loop.assert_complete()
        c.meta_hash()


class Look(threading.Thread):
    """One call, and when it ended with what."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.ended, self.error = call, None, None
        self.began = time.monotonic()
        self.start()

    def run(self):
        try:
            self.call()
        except OSError as error:
            self.error = error
        self.ended = time.monotonic()


def assert_gives_up(call):
    """In a mount with timeout=5s, without a majority of metaservers."""
    look = Look(call)
    wait_until(lambda: look.ended, 30, "the impatient mount to give up")
    took = look.ended - look.began
    assert look.error is not None and look.error.errno in (errno.ETIMEDOUT, errno.EIO), \
        f"a call without a majority: {look.error}"
    assert 4 < took < 10, f"timeout=5s took {took:.1f} s"


def one_of_three_waits_says_why_and_resumes_by_itself():
    with cluster(**SMALL) as c:
        impatient = c.root / "impatient"
        impatient.mkdir()
        c.cairn("mount", impatient, "-o", "timeout=5s")
        (c.mount / "before").write_text("here")
        wait_whole(c)
        survivor = c.leader()
        gone = [number for number in (1, 2, 3) if number != survivor]
        for number in gone:
            c.kill("meta", number)
        wait_until(lambda: "META_NO_QUORUM" in c.health_codes(), 20, "META_NO_QUORUM")
        # Until then it may answer what it knows: its lease outlives the others for a moment.
        wait_until(lambda: leader_and_term(c) is None, 20, "the survivor to stop leading")
        calls = [Look(lambda: (c.mount / "during").touch()),
                 Look(lambda: os.lstat(c.mount / "before"))]
        # Who does not want to wait is told so at its own time.
        for call in (lambda: (impatient / "never").touch(), lambda: os.lstat(impatient / "before")):
            assert_gives_up(call)
        assert not any(call.ended for call in calls), [call.error for call in calls]
        c.start("meta", gone[0])
        for call in calls:
            wait_until(lambda: call.ended, 30, "a waiting call to go on")
            assert call.error is None, call.error
        wait_until(lambda: "META_NO_QUORUM" not in c.health_codes(), 20, "the quorum to be back")
        assert sorted(name for name in os.listdir(c.mount) if name != "never") == \
            ["before", "during"]
        c.start("meta", gone[1])
        wait_whole(c)
        c.meta_hash()


def a_leader_that_slept_ten_seconds_tells_nothing_old():
    with cluster(**SMALL, mounts=2) as c:
        with CreateLoop(c.mounts[0] / "loop") as loop, \
                FreshReader(loop, c.mounts[1] / "loop") as reader:
            for _ in range(3):
                wait_for_files(loop, 20)
                leader, struck = c.leader(), time.monotonic()
                c.pause("meta", leader)
                with contextlib.ExitStack() as stack:
                    stack.callback(c.resume, "meta", leader)
                    looks = reader.looks
                    wait_for_files(loop, 50)
                    wait_until(lambda: reader.looks > looks + 50, 30, "reads to go on")
                    wait_until(lambda: time.monotonic() > struck + 10, 11, "ten seconds to pass")
                pause = loop.longest_pause(since=struck)
                wait_whole(c)
                tell_pauses("pause", [pause], "< 2 s")
                assert pause < MOST_PAUSE, f"{pause:.1f} s"
            loop.finish()
            assert reader.finish() > 100
        loop.assert_complete()
        loop.assert_complete(c.mounts[1] / "loop")
        c.meta_hash()


if __name__ == "__main__":
    main(a_create_loop_goes_on_when_the_leader_dies, ten_leaders_die_and_nobody_sees_an_error,
         a_handover_is_hardly_noticed, a_leader_that_is_stopped_in_order_hands_over,
         one_of_three_waits_says_why_and_resumes_by_itself,
         a_leader_that_slept_ten_seconds_tells_nothing_old)
