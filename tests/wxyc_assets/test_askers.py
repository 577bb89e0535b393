"""Calls run ahead of whoever wants their answers, and hold up nobody who leaves."""

import contextvars
import threading
import time
from concurrent.futures import Future

import pytest

from wxyc_assets import askers as askers_module
from wxyc_assets.askers import Askers, ask_ahead, awaited


@pytest.fixture
def askers():
    askers = Askers(2)
    yield askers
    askers.leave()


def test_answers_and_errors_come_back_to_the_one_who_asked(askers):
    def fail():
        raise KeyError("page")

    good, bad = askers.submit(lambda: 7), askers.submit(fail)
    assert good.result(timeout=5) == 7
    with pytest.raises(KeyError):
        bad.result(timeout=5)


def test_calls_see_the_context_of_whoever_submitted_them(askers):
    span = contextvars.ContextVar("span")
    span.set("run")
    assert askers.submit(span.get).result(timeout=5) == "run"


def test_leaving_waits_a_moment_cancels_the_queue_and_abandons_what_hangs(monkeypatch):
    monkeypatch.setattr(askers_module, "GRACE_S", 0.2)
    release, begun = threading.Event(), threading.Event()
    askers = Askers(1)

    def hang():
        begun.set()
        return release.wait(30)

    hanging, queued = askers.submit(hang), askers.submit(lambda: pytest.fail("it was asked after all"))
    assert begun.wait(5)
    before = time.monotonic()
    askers.leave()
    assert time.monotonic() - before < 1
    release.set()
    assert hanging.result(timeout=5) is True
    assert queued.cancelled() or not queued.done()


def test_threads_end_when_their_work_is_done():
    before = set(threading.enumerate())
    askers = Askers(4)
    assert askers.submit(lambda: 1).result(timeout=5) == 1
    askers.leave()
    assert not set(threading.enumerate()) - before


def test_an_interpreter_does_not_wait_for_a_call_that_hangs():
    assert all(thread.daemon for thread in Askers(1)._threads)


class Asked:
    def __init__(self, answer):
        self.answer = answer


@pytest.mark.parametrize("in_flight", [1, 3])
def test_nothing_is_waited_for_before_as_many_as_may_be_in_flight_are_asked(in_flight):
    taken = []

    def asked():
        for number in range(10):
            taken.append(number)
            yield Asked(Future())

    ahead = ask_ahead(asked(), in_flight)
    next(ahead)
    assert len(taken) == in_flight + 1
    next(ahead)
    assert len(taken) == in_flight + 2
    assert len(list(ahead)) == 8


def test_what_has_no_answer_keeps_its_place_and_takes_none_in_flight():
    asked = [Asked(answer) for answer in (Future(), None, Future(), None, None, Future())]
    assert list(ask_ahead(iter(asked), 2)) == asked


def test_an_answer_is_waited_for_and_an_error_raised_where_it_is_wanted(askers):
    assert awaited(askers.submit(lambda: time.sleep(0.2) or 7)) == 7
    with pytest.raises(ZeroDivisionError):
        awaited(askers.submit(lambda: 1 / 0))
