"""How a long run tells a person how far it is. A run without a terminal has nobody to tell."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of one run."""

    wants_total: bool
    """Whether counting the inputs beforehand is worth a query."""

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Begin; ``total`` inputs, which a person calls ``unit``, are expected, None when it is not known."""

    def advance(self, count: int) -> None:
        """Say that ``count`` more inputs are done."""

    def finish(self) -> None:
        """End, however the run ended."""


class Silent:
    """Tells nobody."""

    wants_total = False

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""
