"""Explains a wrong command line: what is wrong, and the command or option that was probably meant."""

import difflib
import io
from collections.abc import Iterator

import click

from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.cli.commands import COMMANDS, all_commands


def explained(error: click.ClickException) -> tuple[str, str]:
    """Return an error in one sentence, and as text with the usage of its command."""
    hints = list(_hints(error))
    message = " ".join([error.message, *hints]) if hints else error.format_message()
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return message, f"wxyc: {message}"
    shown = io.StringIO()
    type(error).show(_with_message(error, message), file=shown)
    return message, shown.getvalue().rstrip("\n")


def _with_message(error: click.UsageError, message: str) -> click.UsageError:
    return click.UsageError(message, error.ctx)


def _hints(error: click.ClickException) -> Iterator[str]:
    match error:
        case click.exceptions.NoSuchCommand() if error.ctx:
            yield from _commands_like(error.ctx, error.command_name)
        case click.NoSuchOption() if error.ctx:
            yield from _owners_of(error.ctx, error.option_name, similar=bool(error.possibilities))


def _commands_like(context: click.Context, name: str) -> Iterator[str]:
    """Yield the command that was probably meant: one with a similar name, in a group, or one that takes this asset."""
    if name in BY_NAME:
        yield f"It is an asset: `wxyc run {name}` runs it."
        return
    group = context.command
    siblings = COMMANDS if context.parent is None else group.commands if isinstance(group, click.Group) else {}
    nested = {path.split()[-1]: path for path, _ in all_commands(context) if " " in path}
    found = [f"`{context.command_path} {match}`" for match in difflib.get_close_matches(name, siblings)]
    found = found or [f"`wxyc {nested[match]}`" for match in difflib.get_close_matches(name, nested)]
    if found:
        yield f"Did you mean {' or '.join(dict.fromkeys(found))}?"
    else:
        yield f"The commands are {', '.join(siblings)}."


def _owners_of(context: click.Context, option: str, *, similar: bool) -> Iterator[str]:
    """Yield which commands take the option, or else the options of this command unless some are similar: click names those."""
    owners = [path for path, leaf in all_commands(context) if any(option in param.opts for param in leaf.params)]
    if owners:
        yield f"It is an option of {' and '.join(f'`wxyc {path}`' for path in owners)}."
        return
    if similar:
        return
    names = [max(param.opts, key=len) for param in context.command.params if isinstance(param, click.Option)]
    yield f"The options are {', '.join(names)}."
