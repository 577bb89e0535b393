"""The console of a run: its step log, its progress, and the summaries that the command line reads at the end."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from resources.step_log import ShowLine, StepLog, step_log
from wxyc_assets.runs.outcome import RunSummary
from wxyc_assets.runs.progress import NoProgress, Progress


@dataclass
class RunConsole:
    """Where log lines, progress and summaries go.

    A run logs JSON lines to stderr. A run that was launched on a terminal shows lines and progress there as well.
    """

    progress: Progress = field(default_factory=NoProgress)
    show: ShowLine | None = None
    secrets: Collection[str] = field(default=(), repr=False)
    summaries: dict[str, RunSummary] = field(default_factory=dict)

    def log(self, tool: str, run_id: str) -> StepLog:
        """Return the step log of a run."""
        return step_log(tool=tool, run_id=run_id, secrets=self.secrets, show=self.show)

    def begin_run(self, text: str) -> None:
        """Say on a terminal which run begins."""

    @contextmanager
    def executing(self) -> Iterator[None]:
        """Hold for as long as Dagster executes a run in this process."""
        yield

    def end_run(self, reason: str) -> None:
        """Say on a terminal what the log of the run that ended said and ``reason``, which follows, does not contain."""
