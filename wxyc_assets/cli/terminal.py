"""The terminal of a command: readable lines above a progress bar. Off a terminal there are only JSON lines."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from resources.redaction import JsonValue
from resources.secrets import Secrets
from wxyc_assets.cli.log_lines import LEVEL_STYLES, line_text, line_time
from wxyc_assets.cli.progress_bar import DumbProgress, ProgressBar
from wxyc_assets.runs.run_console import RunConsole


class Terminal:
    """Shows the lines of a run that an operator acts on.

    A warning is shown once, however often it is repeated. Errors are kept until the run has ended: its result gives the reason,
    and an error that the reason contains is not shown again. An information line without a message has only numbers, which the
    bar and the result show.
    """

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.progress = DumbProgress(self.console) if self.console.is_dumb_terminal else ProgressBar(self.console)
        self._seen: Counter[tuple[str, str]] = Counter()
        self._errors: dict[str, Mapping[str, JsonValue]] = {}

    def show(self, line: Mapping[str, JsonValue]) -> None:
        """Show one line of the log, or keep it."""
        level, step = str(line["level"]), str(line["step"])
        said = str(line.get("error_message") or line.get("message") or step)
        if level == "info" and not line.get("message"):
            return
        if level == "error":
            if step != "failed":  # its message is the reason of the result
                self._errors.setdefault(said, line)
                self.progress.problems = len(self._errors)
            return
        self._seen[step, said] += 1
        if self._seen[step, said] == 1:
            self._print(line)

    def end_run(self, reason: str) -> None:
        """Show the errors of the run that ``reason`` does not contain, and how often its warnings were repeated."""
        for said, line in self._errors.items():
            if said not in reason:
                self._print(line)
        repeated: Counter[str] = Counter()
        for (step, _), times in self._seen.items():
            repeated[step] += times - 1
        for step, times in (+repeated).items():  # without those that are 0
            self.console.print(Text(f"         {step}: {times} more like it", style="dim"))
        self._seen.clear()
        self._errors.clear()
        self.progress.problems = 0

    def _print(self, line: Mapping[str, JsonValue]) -> None:
        level = str(line["level"])
        named = "" if level == "info" else f"{'warning' if level == 'warn' else level} "
        self.console.print(
            Text.assemble((line_time(line), "dim"), " ", (named, LEVEL_STYLES.get(level, "")), line_text(line))
        )


class TerminalConsole(RunConsole):
    """The console of runs on a terminal."""

    def __init__(self, terminal: Terminal, secrets: tuple[str, ...]) -> None:
        super().__init__(progress=terminal.progress, show=terminal.show, secrets=secrets)
        self._terminal = terminal

    @contextmanager
    def executing(self) -> Iterator[None]:
        """Let Dagster capture the output of a step for the UI, and show nothing of it on the terminal.

        During a step Dagster sends stdout and stderr to files, and copies the files to where the streams went before: the copy
        would put JSON between the readable lines. Its helper processes also write a traceback to stderr on Ctrl-C. So both
        streams go nowhere until Dagster takes them, and lines reach the terminal through a descriptor of its own. Descriptor 1
        stays the terminal's: rich asks it for the size of the window.
        """
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), _stderr_to(nowhere):
            yield

    def begin_run(self, text: str) -> None:
        """Show which run begins."""
        self._terminal.console.print(Text(f"  {text}", style="dim"))

    def end_run(self, reason: str) -> None:
        """Show what the lines of the run said and ``reason`` does not."""
        self._terminal.end_run(reason)


def command_console() -> RunConsole:
    """Return the console of a command: with a bar and readable lines on a terminal, with JSON lines otherwise."""
    secrets = Secrets.of().texts
    if not sys.stderr.isatty():
        return RunConsole(secrets=secrets)
    stream = open(  # noqa: SIM115 - it lives as long as the process
        os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False
    )
    return TerminalConsole(Terminal(stream), secrets)


@contextmanager
def _stderr_to(stream: TextIO) -> Iterator[None]:
    """Point descriptor 2 at a stream for the time of the block."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
