"""What a person at a terminal sees while a command works."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wxyc_assets.operator import Operator
from wxyc_assets.wiring import Secrets


class Bar:
    """A progress bar on stderr; log lines appear above it."""

    wants_total = True

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Show the bar."""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(label, total=total)
        self._progress.start()

    def advance(self, count: int) -> None:
        """Move it on."""
        if self._progress and self._task is not None:
            self._progress.advance(self._task, count)

    def finish(self) -> None:
        """Take it away."""
        if self._progress:
            self._progress.stop()
            self._progress = None


def person() -> Operator:
    """Return the operator of a command: with a bar and readable lines on a terminal, with JSON lines otherwise."""
    secrets = Secrets.of().texts
    return Operator(progress=Bar(), secrets=secrets) if sys.stderr.isatty() else Operator(secrets=secrets)
