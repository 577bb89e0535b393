import pytest

from wxyc_assets.assets.rated_usage import wait_budget
from wxyc_assets.assets.rated_usage.wait_budget import WaitBudget


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test advances."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(wait_budget, "time", clock)
    return clock


def test_the_budget_elapses_only_during_a_wait(clock):
    left = WaitBudget(60)
    clock.now += 1000
    with left.waiting() as left_s:
        assert left_s == 60
        clock.now += 20
    clock.now += 1000
    with left.waiting() as left_s:
        assert left_s == 40


def test_simultaneous_waits_use_the_budget_once(clock):
    left = WaitBudget(60)
    with left.waiting():
        clock.now += 10
        with left.waiting() as left_s:
            assert left_s == 50
            clock.now += 10
        clock.now += 10
    with left.waiting() as left_s:
        assert left_s == 30


def test_the_remaining_budget_is_never_negative(clock):
    left = WaitBudget(5)
    with left.waiting():
        clock.now += 50
    with left.waiting() as left_s:
        assert left_s == 0


def test_a_wait_that_raises_uses_the_budget(clock):
    left = WaitBudget(60)

    def wait_in_vain():
        with left.waiting():
            clock.now += 10
            raise RuntimeError

    with pytest.raises(RuntimeError):
        wait_in_vain()
    with left.waiting() as left_s:
        assert left_s == 50
