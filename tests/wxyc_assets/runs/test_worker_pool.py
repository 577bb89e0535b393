"""Calls run ahead of the reader of their answers, and a hung call delays no exit."""

import contextvars
import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from wxyc_assets.runs import worker_pool as pool_module
from wxyc_assets.runs.worker_pool import WorkerPool, prefetch, wait_for_result


@pytest.fixture
def pool():
    pool: WorkerPool[Any] = WorkerPool(2)
    yield pool
    pool.shutdown()


def test_results_and_errors_reach_the_submitter(pool):
    def fail():
        raise KeyError("page")

    good, bad = pool.submit(lambda: 7), pool.submit(fail)
    assert good.result(timeout=60) == 7
    with pytest.raises(KeyError):
        bad.result(timeout=60)


def test_calls_see_the_context_of_the_submitter(pool):
    span: contextvars.ContextVar[str] = contextvars.ContextVar("span")
    span.set("run")
    assert pool.submit(span.get).result(timeout=60) == "run"


def test_shutdown_cancels_queued_and_abandons_hung_calls(monkeypatch):
    monkeypatch.setattr(pool_module, "SHUTDOWN_GRACE_S", 0.2)
    release, begun = threading.Event(), threading.Event()
    pool: WorkerPool[Any] = WorkerPool(1)

    def hang():
        begun.set()
        return release.wait(600)

    hanging, queued = pool.submit(hang), pool.submit(lambda: pytest.fail("the queued call ran"))
    assert begun.wait(60)
    pool.shutdown()
    assert not hanging.done()
    release.set()
    assert hanging.result(timeout=60) is True
    assert queued.cancelled() or not queued.done()


def test_threads_end_when_their_work_is_done():
    before = set(threading.enumerate())
    pool: WorkerPool[Any] = WorkerPool(4)
    assert pool.submit(lambda: 1).result(timeout=60) == 1
    pool.shutdown()
    assert not set(threading.enumerate()) - before


def test_an_interpreter_does_not_wait_for_a_call_that_hangs():
    assert all(thread.daemon for thread in WorkerPool(1)._threads)


class Call:
    def __init__(self, answer):
        self.answer = answer


@pytest.mark.parametrize("in_flight", [1, 3])
def test_prefetch_fills_the_flight_before_it_waits(in_flight):
    """It waits for nothing before as many calls as allowed are in flight."""
    taken = []

    def calls():
        for number in range(10):
            taken.append(number)
            yield Call(Future())

    ahead = prefetch(calls(), in_flight)
    next(ahead)
    assert len(taken) == in_flight + 1
    next(ahead)
    assert len(taken) == in_flight + 2
    assert len(list(ahead)) == 8


def test_item_without_a_call_keeps_its_place_in_order():
    answers: list[Future[Any] | None] = [Future(), None, Future(), None, None, Future()]
    calls = [Call(answer) for answer in answers]
    assert list(prefetch(iter(calls), 2)) == calls


def test_wait_for_result_returns_the_answer_or_raises(pool):
    def answer_late():
        time.sleep(0.2)
        return 7

    assert wait_for_result(pool.submit(answer_late)) == 7
    with pytest.raises(ZeroDivisionError):
        wait_for_result(pool.submit(lambda: 1 / 0))
