"""Observes the external assets once through Dagster, so that the UI shows their row counts from the start."""

import importlib

from wxyc_assets.assets.jobs import OBSERVATION_JOB
from wxyc_assets.cli.in_process import execute
from wxyc_assets.cli.instance import open_instance
from wxyc_assets.runs.run_console import RunConsole


def observe_all(console: RunConsole) -> bool:
    """Observe every external asset in one run, as the schedule does; return whether all of them succeeded."""
    definitions = importlib.import_module("wxyc_assets.definitions").build_defs(console=console)
    with open_instance() as instance, console.executing():
        run = execute(definitions.resolve_job_def(OBSERVATION_JOB.name), instance)
    return run.is_success
