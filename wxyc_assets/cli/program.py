"""The program ``wxyc``: runs a command and prints its result.

Every command has one result: text on a terminal, else one JSON object on stdout, also when the command fails. Everything else
goes to stderr. The program imports a command when it is called, so that ``wxyc --help`` does not wait for Dagster.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

import click

from resources.redaction import encodable
from wxyc_assets.cli.commands import COMPLETION_VARIABLE, cli
from wxyc_assets.cli.interrupts import as_ctrl_c
from wxyc_assets.cli.outcome import DONE, FAILED, CannotError, Outcome, Output
from wxyc_assets.cli.usage_errors import explained

EXPECTED = (
    "wxyc_assets.cli.outcome.CannotError",
    "wxyc_assets.settings.loading.SettingsError",
    "wxyc_assets.database.revision.MigrationError",
    "wxyc_assets.sandbox.station.StationError",
    "resources.embedded_postgres.errors.EmbeddedPostgresError",
)
"""Errors whose message says enough. Any other error is a defect and shows its traceback."""


def main() -> None:
    """Run ``wxyc`` with the arguments of this process, and exit. A defect shows its traceback, without secrets."""
    sys.excepthook = _print_traceback
    sys.exit(run(sys.argv[1:]))


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from wxyc_assets.cli.tracebacks import print_traceback

    print_traceback(kind, error, trace)


def run(arguments: Sequence[str]) -> int:
    """Run ``wxyc`` and return its exit code. Prints one result on stdout, except for help, version and completion."""
    warnings.filterwarnings("ignore", module="dagster")
    warnings.filterwarnings("ignore", message=".*(beta|preview|superseded).*")
    if COMPLETION_VARIABLE in os.environ:  # the shell asks for completions
        cli.main(list(arguments), prog_name="wxyc", complete_var=COMPLETION_VARIABLE)
    if {"-h", "--help", "--version"} & set(arguments):
        return _run(arguments, Output(sys.stdout))
    with as_ctrl_c(), _reserve_stdout() as stdout:
        return _run(arguments, Output(stdout, wants_json="--json" in arguments))


def _run(arguments: Sequence[str], output: Output) -> int:
    outcome = Outcome()
    try:
        outcome = _run_command(arguments, output)
        output.print(outcome)
    except BrokenPipeError:  # the reader of the pipe, such as `head`, has read enough
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), output.stdout.fileno())
    return outcome.exit_code


def _run_command(arguments: Sequence[str], output: Output) -> Outcome:
    try:
        _require_text(arguments)
        result = cli.main(list(arguments), prog_name="wxyc", standalone_mode=False, obj=output)
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), file=output.stdout)
        return Outcome(exit_code=DONE)
    except click.ClickException as error:
        return _failed(*explained(error))
    except (click.Abort, KeyboardInterrupt):
        return _expected_failure("interrupted; what was committed is kept, the same command does the rest")
    except Exception as error:
        if _name(error) in EXPECTED:
            return _expected_failure(str(error))
        from wxyc_assets.cli.database_errors import explained as explained_database_error

        if message := explained_database_error(error):
            return _expected_failure(message)
        raise
    return result if isinstance(result, Outcome) else Outcome()


def _require_text(arguments: Sequence[str]) -> None:
    """Raise CannotError for an argument that is not UTF-8: no JSON, no database and no terminal takes it."""
    for argument in arguments:
        if encodable(argument) != argument:
            raise CannotError(f"the argument {encodable(argument)} is not UTF-8; write it anew")


def _expected_failure(message: str) -> Outcome:
    return _failed(message, f"wxyc: {message}")


def _failed(message: str, text: str) -> Outcome:
    return Outcome({"error": message}, FAILED, problem=text)


def _name(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


@contextmanager
def _reserve_stdout() -> Iterator[IO[str]]:
    """Reserve stdout for our one result: all other output, also that of libraries and children, goes to stderr."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(kept, "w", encoding="utf-8", closefd=False) as stdout:  # a descriptor has no path
            yield stdout
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


__all__ = ["CannotError", "cli", "main", "run"]
