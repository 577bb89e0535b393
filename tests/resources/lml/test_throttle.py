"""How many identity-resolution calls run at once, and how far apart they start."""

import threading
import time
from contextlib import suppress

from resources.lml.throttle import Throttle
from tests.resources.lml.fakes import FakeClock


def test_starts_are_spaced_and_idle_time_saves_no_burst():
    clock = FakeClock()
    throttle = Throttle(max_in_flight=8, min_interval_s=0.5, clock=clock, wait=clock.sleep)
    for _ in range(3):
        with throttle.slot():
            pass
    assert clock.slept == [0.5, 0.5]
    clock.now += 10
    for _ in range(2):
        with throttle.slot():
            pass
    assert clock.slept == [0.5, 0.5, 0.5]


def test_no_more_than_the_slots_are_held_and_an_error_frees_one():
    """Three threads at a time meet inside: the barrier breaks if fewer than three slots can be held."""
    throttle = Throttle(max_in_flight=3, min_interval_s=0, clock=time.monotonic, wait=lambda _: False)
    lock, held, most = threading.Lock(), [0], [0]
    three_inside = threading.Barrier(3)

    def hold() -> None:
        with suppress(ZeroDivisionError), throttle.slot():
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            three_inside.wait(120)
            with lock:
                held[0] -= 1
            1 / 0  # noqa: B018 - the error is the point

    threads = [threading.Thread(target=hold) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [3]
    assert not three_inside.broken
