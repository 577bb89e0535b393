"""What stands in for the budget and for time: both remember what the client asked of them."""

from collections.abc import Sequence


class FakeBudget:
    """A budget that records its calls. ``reserve`` returns the given waits in order, then 0; so does ``check`` its states."""

    def __init__(self, *waits_s: float, states: Sequence[tuple[float, float]] = ()) -> None:
        self.waits_s = list(waits_s)
        self.states = list(states)
        self.events: list[tuple[object, ...]] = []

    def reserve(self, cost: float) -> float:
        self.events.append(("reserve", cost))
        return self.waits_s.pop(0) if self.waits_s else 0.0

    def check(self) -> tuple[float, float]:
        self.events.append(("check",))
        return self.states.pop(0) if self.states else (0.0, 0.0)

    def block(self, seconds: float) -> None:
        self.events.append(("block", seconds))

    def settle(self, reserved: float, used: float) -> None:
        self.events.append(("settle", reserved, used))


class FakeClock:
    """A clock that stands still until a test moves it, and a sleep that moves it and records the seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> bool:
        self.slept.append(round(seconds, 6))
        self.now += seconds
        return False
