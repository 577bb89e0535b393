"""How many identity-resolution calls run at once, and how far apart they start."""

import threading
import time
from contextlib import suppress

from resources.lml.lane import Lane


def test_starts_are_paced_also_after_a_pause():
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    lane = Lane(max_in_flight=8, pace_s=0.5, clock=lambda: now[0], pause=sleep)
    for _ in range(3):
        with lane.place():
            pass
    assert slept == [0.5, 0.5]
    now[0] += 10  # time without calls is not saved up for a burst
    for _ in range(2):
        with lane.place():
            pass
    assert slept == [0.5, 0.5, 0.5]


def test_no_more_than_the_places_are_held_at_once_and_an_error_frees_one():
    lane = Lane(max_in_flight=3, pace_s=0, clock=time.monotonic, pause=lambda _: False)
    lock, held, most = threading.Lock(), [0], [0]

    def hold() -> None:
        with suppress(ZeroDivisionError), lane.place():
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            time.sleep(0.01)
            with lock:
                held[0] -= 1
            1 / 0  # noqa: B018 - the error is the point

    threads = [threading.Thread(target=hold) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [3]
