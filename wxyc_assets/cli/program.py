"""The commands of ``wxyc``, what every one of them prints, and how it exits.

One JSON object goes to stdout, whatever happens; everything else goes to stderr. Commands are imported when they are
called: ``wxyc --help`` must not wait for Dagster.
"""

import importlib
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import click

from wxyc_assets.cli.outcome import COULD_NOT, DONE, CannotError, Outcome

COMMANDS = {
    "demo": "wxyc_assets.cli.demo",
    "up": "wxyc_assets.cli.up",
    "down": "wxyc_assets.cli.down",
    "migrate": "wxyc_assets.cli.migrate",
    "doctor": "wxyc_assets.cli.doctor",
    "run": "wxyc_assets.cli.run",
    "status": "wxyc_assets.cli.status",
    "alerts": "wxyc_assets.cli.alerts",
    "budget": "wxyc_assets.cli.budget",
    "why": "wxyc_assets.cli.why",
    "prices": "wxyc_assets.cli.prices",
    "sandbox": "wxyc_assets.cli.sandbox",
}

EXPECTED = (
    "wxyc_assets.cli.outcome.CannotError",
    "wxyc_assets.settings.SettingsError",
    "wxyc_assets.revision.MigrationError",
    "wxyc_assets.sandbox.station.StationError",
    "resources.embedded_postgres.errors.EmbeddedPostgresError",
)
"""Errors whose message is the whole story; anything else is a defect and shows its traceback."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are looked at."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the commands in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[name]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[name]}.command is not a command")
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 could not, 2 done with something that someone must look at. "
    "Settings are environment variables; `wxyc doctor` checks them all.",
)
@click.version_option(package_name="wxyc-assets", message="%(version)s")
def cli() -> None:
    """Keep WXYC's data fresh: one Dagster asset graph instead of four cron jobs.

    Start with `wxyc demo`: it brings up a sandbox station on this machine and runs the graph on it once. `wxyc up` opens the
    Dagster UI on it. Every command prints one JSON object on stdout, and what happens meanwhile on stderr.
    """


def main() -> None:
    """Run ``wxyc`` with the arguments of this process, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run ``wxyc`` and return its exit code. Prints one JSON object on stdout, except for help and version."""
    warnings.filterwarnings("ignore", module="dagster")
    warnings.filterwarnings("ignore", message=".*(beta|preview|superseded).*")
    if {"-h", "--help", "--version"} & set(arguments):
        return _outcome(arguments, sys.stdout).exit_code
    with _stdout_kept() as stdout:
        outcome = _outcome(arguments, stdout)
        if outcome.printed:
            print_object(outcome.printed, stdout)
        for line in outcome.closing:
            click.echo(line, err=True)
    return outcome.exit_code


def print_object(printed: object, stdout: IO[str]) -> None:
    """Write one object: on one line for a program, over several for a person."""
    stdout.write(json.dumps(printed, indent=2 if stdout.isatty() else None, default=str, ensure_ascii=False) + "\n")
    stdout.flush()


def _outcome(arguments: Sequence[str], stdout: IO[str]) -> Outcome:
    try:
        result = cli.main(list(arguments), prog_name="wxyc", standalone_mode=False, obj=stdout)
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), file=stdout)
        return Outcome(exit_code=DONE)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return _could_not(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return _told("interrupted; what was committed is kept, the same command does the rest")
    except Exception as error:
        if _name(error) in EXPECTED:
            return _told(str(error))
        raise
    return result if isinstance(result, Outcome) else Outcome()


def _told(message: str) -> Outcome:
    click.echo(f"wxyc: {message}", err=True)
    return _could_not(message)


def _could_not(message: str) -> Outcome:
    return Outcome({"error": message}, COULD_NOT)


def _name(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


@contextmanager
def _stdout_kept() -> Iterator[IO[str]]:
    """Keep stdout for our one object: whatever else is printed meanwhile, also by libraries and children, goes to stderr."""
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


__all__ = ["CannotError", "cli", "main", "print_object", "run"]
