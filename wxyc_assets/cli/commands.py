"""The commands of ``wxyc`` and their help. A command is imported when it is used."""

import importlib
from collections.abc import Iterator

import click

COMMANDS = {
    "demo": "wxyc_assets.cli.demo",
    "up": "wxyc_assets.cli.up",
    "down": "wxyc_assets.cli.down",
    "migrate": "wxyc_assets.cli.migrate",
    "doctor": "wxyc_assets.cli.doctor",
    "run": "wxyc_assets.cli.run",
    "status": "wxyc_assets.cli.status",
    "alerts": "wxyc_assets.cli.alerts",
    "runbook": "wxyc_assets.cli.runbook",
    "quarantine": "wxyc_assets.cli.quarantine",
    "budget": "wxyc_assets.cli.budget",
    "why": "wxyc_assets.cli.why",
    "rated": "wxyc_assets.cli.rated",
    "bill": "wxyc_assets.cli.bill",
    "changes": "wxyc_assets.cli.changes",
    "export": "wxyc_assets.cli.export",
    "seal": "wxyc_assets.cli.seal",
    "verify": "wxyc_assets.cli.verify",
    "prices": "wxyc_assets.cli.prices",
    "prune": "wxyc_assets.cli.prune",
    "psql": "wxyc_assets.cli.psql",
    "sandbox": "wxyc_assets.cli.sandbox",
    "completion": "wxyc_assets.cli.completion",
}
"""In the order in which a newcomer needs them."""

COMPLETION_VARIABLE = "_WXYC_COMPLETE"
"""The environment variable with which a shell asks for completions."""

JSON_OPTION = "as_json"
_NOT_IN_SYNOPSIS = {JSON_OPTION, "help", "version"}
_SYNOPSIS_WIDTH = 28


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and lists each command with its synopsis."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[name]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[name]}.command is not a command")
        for each in (command, *_subcommands(command)):
            _complete(each)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the synopsis of each command on a line of its own."""
        rows = [(_listed(path, leaf), leaf.get_short_help_str(60)) for path, leaf in all_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl(rows, col_max=_SYNOPSIS_WIDTH)


def all_commands(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its path, such as ``why usage``."""
    for name in COMMANDS:
        if command := cli.get_command(context, name):
            yield from leaves(command, name)


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the command itself, or the commands of a group."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, sub in command.commands.items():
        yield from leaves(sub, f"{path} {name}")


def _subcommands(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            yield sub
            yield from _subcommands(sub)


def _complete(command: click.Command) -> None:
    """Give a command the option ``--json`` and a usage line that names its arguments and options."""
    if any(parameter.name == JSON_OPTION for parameter in command.params):
        return
    command.options_metavar = " ".join(
        _synopsis(param)
        for param in command.params
        if isinstance(param, click.Option) and param.name not in _NOT_IN_SYNOPSIS
    )
    command.params.append(_json_option())


def _json_option() -> click.Option:
    """Return the option. wxyc_assets.cli.program looks for it among the arguments, because it holds for usage errors too."""
    return click.Option(
        ["--json", JSON_OPTION], is_flag=True, expose_value=False, help="Print the result as one JSON object."
    )


def _listed(path: str, command: click.Command) -> str:
    """Return the synopsis of a command: its path, its arguments, its options, and the arguments of which there may be many."""
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    named, repeated = (
        [param.metavar or str(param.name).upper() for param in arguments if (param.nargs == -1) is many]
        for many in (False, True)
    )
    return " ".join(filter(None, [path, *named, command.options_metavar, *repeated]))


def _synopsis(option: click.Option) -> str:
    metavar = "" if option.is_flag else f" {option.metavar or 'N'}"
    text = f"{max(option.opts, key=len)}{metavar}"
    return text if option.required else f"[{text}]{'...' if option.multiple else ''}"


@click.group(
    cls=LazyGroup,
    params=[_json_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="On a terminal a command prints text, or with --json one object; elsewhere it prints one JSON object on stdout, and "
    "its log on stderr. Exit codes: 0 done, 1 failed, 2 done, with an anomaly to look at. Settings are environment variables; "
    "`wxyc doctor` checks them all.",
)
@click.version_option(package_name="wxyc-assets", message="%(version)s")
def cli() -> None:
    """Keep WXYC's data fresh: one Dagster asset graph instead of four cron jobs.

    Start with `wxyc demo`: it starts a sandbox station on this machine and runs the graph on it once. `wxyc up` opens the
    Dagster UI on it.
    """
