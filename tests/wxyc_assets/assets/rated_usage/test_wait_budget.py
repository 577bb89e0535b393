import pytest

from wxyc_assets.rated_usage import patience
from wxyc_assets.rated_usage.patience import Patience


@pytest.fixture
def clock(monkeypatch):
    """A clock that only goes when it is told to."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    return clock


def test_it_passes_only_while_somebody_waits(clock):
    left = Patience(60)
    clock.now += 1000
    with left.waiting() as left_s:
        assert left_s == 60
        clock.now += 20
    clock.now += 1000
    with left.waiting() as left_s:
        assert left_s == 40


def test_two_who_wait_at_once_use_it_up_once(clock):
    left = Patience(60)
    with left.waiting():
        clock.now += 10
        with left.waiting() as left_s:
            assert left_s == 50
            clock.now += 10
        clock.now += 10
    with left.waiting() as left_s:
        assert left_s == 30


def test_it_is_never_less_than_nothing(clock):
    left = Patience(5)
    with left.waiting():
        clock.now += 50
    with left.waiting() as left_s:
        assert left_s == 0


def test_it_passes_for_a_wait_that_fails_too(clock):
    left = Patience(60)

    def wait_in_vain():
        with left.waiting():
            clock.now += 10
            raise RuntimeError

    with pytest.raises(RuntimeError):
        wait_in_vain()
    with left.waiting() as left_s:
        assert left_s == 50
