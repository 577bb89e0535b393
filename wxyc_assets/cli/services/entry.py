"""Where a service's process begins: ``python -P -m wxyc_assets.cli.services.entry webserver|daemon ...``."""

import os
import sys
from collections.abc import Sequence

from wxyc_assets.cli.services import lifeline


def main(name: str, arguments: Sequence[str]) -> None:
    """Run one service until its stdin ends or it fails; its process group never outlives it."""
    lifeline.follow_stdin()
    code = 1
    try:
        _run(name, arguments)
        code = 0
    except KeyboardInterrupt:
        code = 0  # what Dagster makes of SIGTERM
    except Exception as error:  # noqa: BLE001 - the log is all that is left of a service that failed
        from wxyc_assets.cli.tracebacks import print_traceback

        print_traceback(type(error), error, error.__traceback__)
    finally:
        lifeline.end_group()
        sys.stderr.flush()
        os._exit(code)  # Python's own end would wait for threads of Dagster's, and stop the lifeline's


def _run(name: str, arguments: Sequence[str]) -> None:
    if name == "webserver":
        from wxyc_assets.cli.services.webserver import serve

        workspace, descriptor = arguments
        serve(workspace, int(descriptor))
    else:
        from dagster._daemon.cli import run_command

        (workspace,) = arguments
        run_command.main(["--workspace", workspace], prog_name="dagster-daemon", standalone_mode=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
