"""What a command comes to: one JSON object for stdout, and the exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DONE = 0
COULD_NOT = 1
ANOMALY = 2


class CannotError(Exception):
    """A command could not do its work; the message says why and what to do next."""


@dataclass(frozen=True)
class Outcome:
    """The result of a command. A command that prints its object early (``up``) leaves ``printed`` empty.

    ``closing`` is what a person should read last, on stderr, below the object.
    """

    printed: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = DONE
    closing: Sequence[str] = ()
