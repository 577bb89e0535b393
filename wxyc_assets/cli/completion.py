"""``wxyc completion``: prints the script with which a shell completes commands and options."""

import click
from click.shell_completion import get_completion_class

from wxyc_assets.cli.outcome import Outcome, Output

SHELLS = ("bash", "zsh", "fish")

EXAMPLES = """\b
Examples:
  eval "$(wxyc completion bash)"                                        this session
  wxyc completion bash > ~/.local/share/bash-completion/completions/wxyc
  wxyc completion zsh > "${fpath[1]}/_wxyc"
  wxyc completion fish > ~/.config/fish/completions/wxyc.fish
"""


@click.command("completion", short_help="A script for completion by the shell.", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(SHELLS), metavar="bash|zsh|fish")
@click.pass_obj
def command(output: Output, shell: str) -> Outcome:
    """Print the script with which a shell completes the commands, options and assets of wxyc."""
    from wxyc_assets.cli.commands import COMPLETION_VARIABLE, cli

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"there is no completion for {shell}")
    output.write_lines([completion(cli, {}, "wxyc", COMPLETION_VARIABLE).source()])
    return Outcome()
