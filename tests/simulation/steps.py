"""The steps of a simulation as data: what happens at which simulated second, and the file that holds them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """Something that happens ``at_s`` seconds after the simulation's start; ``actions.py`` has the kinds."""

    at_s: float
    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        days, seconds = divmod(round(self.at_s), 86400)
        clock = f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
        return f"day {days} {clock} {self.kind} {json.dumps(self.arguments)}"


@dataclass(frozen=True)
class Recording:
    """The steps of one simulation, its seed, and how it failed; ``failure`` empty: it did not."""

    seed: int
    steps: Sequence[Step]
    failure: str = ""

    def save(self, file: Path) -> None:
        """Write the recording as JSON."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(file: Path) -> Recording:
    """Read a recording that ``save`` wrote."""
    stored = json.loads(file.read_text())
    return Recording(stored["seed"], [Step(**step) for step in stored["steps"]], stored["failure"])
