"""How a run reports its progress to a terminal; a run without a terminal reports none."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of one run."""

    wants_total: bool
    """Whether counting the inputs before the run is worth a query."""

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Start; ``total`` inputs, shown as ``unit``, are expected, None when their number is unknown."""

    def advance(self, count: int) -> None:
        """Report that ``count`` more inputs are done."""

    def wait(self, reason: str, seconds: float) -> None:
        """Report that the run waits for this long, and for what: ``reason`` begins with "for"."""

    def finish(self) -> None:
        """End the display, however the run ended."""


class NoProgress:
    """Shows nothing."""

    wants_total = False

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Show nothing."""

    def advance(self, count: int) -> None:
        """Show nothing."""

    def wait(self, reason: str, seconds: float) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""
