"""The progress of a run on a terminal: a bar, or a line now and then on a terminal that cannot redraw one."""

import atexit
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

LINE_EVERY_S = 10.0
"""How often a terminal without a bar shows a line."""

BAR_WIDTH = 14
"""Short, so that in 80 columns there is room for what the run waits for."""


class ProgressBar:
    """A progress bar; lines that are printed to its console appear above it."""

    wants_total = True

    def __init__(self, console: Console) -> None:
        self.problems = 0
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Show the bar."""
        self.finish()
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=BAR_WIDTH),
            TextColumn("{task.fields[count]}"),
            _Remaining(lambda: self.problems),
            console=self._console,
            transient=True,
            expand=True,  # then a narrow window shortens the last column alone
            redirect_stdout=False,  # Dagster captures these streams for the UI
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(
            label, total=total, count=_count(0, total, unit), unit=unit, waits_for="", waits_until=_now()
        )
        atexit.register(self.finish)  # a second Ctrl-C may skip the run's own call, and the bar hides the cursor
        self._progress.start()

    def advance(self, count: int) -> None:
        """Advance the bar."""
        if self._progress and self._task is not None:
            task = self._progress.tasks[0]
            done = int(task.completed) + count
            self._progress.update(
                self._task,
                advance=count,
                count=_count(done, task.total, task.fields["unit"]),
            )

    def wait(self, reason: str, seconds: float) -> None:
        """Show what the run waits for, and until when."""
        if self._progress and self._task is not None:
            until = _now() + timedelta(seconds=seconds)
            self._progress.update(self._task, waits_for=reason, waits_until=until)

    def finish(self) -> None:
        """Remove the bar, also one whose start was interrupted: rich then fails before it shows the cursor again."""
        if self._progress:
            try:
                self._progress.stop()
            except IndexError:
                self._console.show_cursor(True)
            self._progress = None
            atexit.unregister(self.finish)


class DumbProgress:
    """A line every ten seconds, for a terminal that cannot move its cursor (TERM=dumb)."""

    wants_total = True

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.problems = 0
        self._console = console
        self._clock = clock
        self._label, self._unit = "", ""
        self._total: int | None = None
        self._done = 0
        self._shown_at = 0.0

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        """Show the first line."""
        self._label, self._unit, self._total, self._done = label, unit, total, 0
        self._print("")

    def advance(self, count: int) -> None:
        """Show a line if the last one is old."""
        self._done += count
        if self._clock() - self._shown_at >= LINE_EVERY_S or self._done == self._total:
            self._print("")

    def wait(self, reason: str, seconds: float) -> None:
        """Show what the run waits for if the last line is old."""
        if self._clock() - self._shown_at >= LINE_EVERY_S:
            until = _now() + timedelta(seconds=seconds)
            self._print(f", {_waiting(reason, until)}")

    def finish(self) -> None:
        """Show nothing more."""

    def _print(self, more: str) -> None:
        self._shown_at = self._clock()
        self._console.print(f"  {self._label} {_count(self._done, self._total, self._unit)}{more}")


class _Remaining(ProgressColumn):
    """What the run waits for, else how long it takes at its present speed; and how many errors there are."""

    def __init__(self, problems: Callable[[], int]) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis", ratio=1))
        self._problems = problems

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        waits_for, until = task.fields["waits_for"], task.fields["waits_until"]
        text = Text()
        if errors := self._problems():
            text.append(f"{errors} {'error' if errors == 1 else 'errors'} ", style="red")
        if waits_for and until > _now():
            return text.append(_waiting(waits_for, until), style="yellow")
        if task.time_remaining is not None and not task.finished:
            text.append(f"about {_duration(task.time_remaining)} left")
        return text


def _now() -> datetime:
    return datetime.now().astimezone()


def _count(done: int, total: float | None, unit: str) -> str:
    return f"{done} {unit}" if total is None else f"{done}/{int(total)} {unit}"


def _waiting(reason: str, until: datetime) -> str:
    return f"waits until {until:%H:%M:%S} {reason}"


def _duration(seconds: float) -> str:
    for unit, length_s in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"
