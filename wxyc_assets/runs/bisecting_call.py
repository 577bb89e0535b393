"""Asks LML about many inputs in one call; where LML refuses the batch, bisects until a refused input stands alone."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import psycopg

from resources.lml.errors import LmlError

GIVE_UP_AFTER = 50
"""Single inputs that LML refuses one after the other before a run takes it that LML refuses every input."""


class CallStats(Protocol):
    """An answer, with what its call took."""

    @property
    def calls(self) -> int:
        """HTTP calls that were made."""

    @property
    def latency_ms(self) -> float:
        """Time that they took."""


T = TypeVar("T")
A = TypeVar("A", bound=CallStats)


@dataclass(frozen=True)
class Part(Generic[T, A]):
    """Inputs of one batch that share an outcome: LML's answer about them, or why there is none.

    ``refused``: the part is one input that was refused alone, so that the refusal is its own.
    """

    inputs: Sequence[T]
    answer: A | None = None
    error: Exception | None = None
    refused: bool = False

    @property
    def is_divisible(self) -> bool:
        """Whether a smaller part could get an answer: an error of any other type than LmlError is taken for an input's."""
        return self.error.divisible if isinstance(self.error, LmlError) else self.error is not None


@dataclass
class Asked(Generic[T, A]):
    """What became of one batch: its parts in the order of the inputs, and what all calls took together."""

    parts: list[Part[T, A]] = field(default_factory=list)
    calls: int = 0
    latency_ms: float = 0.0

    @property
    def failed(self) -> list[tuple[Exception, Sequence[T]]]:
        """The parts that got no answer and are not to blame for it."""
        return [(part.error, part.inputs) for part in self.parts if part.error and not part.refused]


class IsolatingCaller:
    """Asks about the batches of one run. Thread-safe.

    One refused input among n costs at most 2 log2 n + 2 calls. An LML that refuses every input, for example after an
    incompatible change, costs ``GIVE_UP_AFTER`` inputs their bisection; from then on a refused batch is one failed call, until
    LML accepts a batch again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused_in_a_row = 0

    def ask(self, inputs: Sequence[T], call: Callable[[Sequence[T]], A]) -> Asked[T, A]:
        """Return the answers about all inputs; a call that fails for a reason that no input causes is not repeated."""
        asked: Asked[T, A] = Asked()
        asked.parts = self._settle(self._call(inputs, call, asked), call, asked)
        return asked

    def _settle(self, part: Part[T, A], call: Callable[[Sequence[T]], A], asked: Asked[T, A]) -> list[Part[T, A]]:
        if not part.is_divisible:
            return [part]
        if len(part.inputs) == 1:
            self._count(accepted=False)
            return [Part(part.inputs, error=part.error, refused=True)]
        if self._refused_in_a_row >= GIVE_UP_AFTER:
            return [part]
        middle = len(part.inputs) // 2
        first = self._call(part.inputs[:middle], call, asked)
        others = part.inputs[middle:]
        if first.answer is not None and len(others) > 1:
            second = Part[T, A](others, error=part.error)  # the refused input is among them: no call need show it
        else:
            second = self._call(others, call, asked)
        return self._settle(first, call, asked) + self._settle(second, call, asked)

    def _call(self, inputs: Sequence[T], call: Callable[[Sequence[T]], A], asked: Asked[T, A]) -> Part[T, A]:
        try:
            answer = call(inputs)
        except (MemoryError, psycopg.Error):
            raise  # of the process or the database: no input causes them, because no input's value is in the call's statements
        except Exception as error:  # noqa: BLE001 - whatever an input causes, it causes to itself
            if isinstance(error, LmlError):
                asked.calls += error.calls
                asked.latency_ms += error.latency_ms
            return Part(inputs, error=error)
        asked.calls += answer.calls
        asked.latency_ms += answer.latency_ms
        self._count(accepted=True)
        return Part(inputs, answer)

    def _count(self, *, accepted: bool) -> None:
        with self._lock:
            self._refused_in_a_row = 0 if accepted else self._refused_in_a_row + 1
