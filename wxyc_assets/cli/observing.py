"""Observes what others own, once, through Dagster: so that the UI says how many rows there are, from the first look on."""

import importlib

from wxyc_assets.cli.instance import open_instance
from wxyc_assets.operator import Operator


def observe_all(operator: Operator) -> bool:
    """Observe every external asset in one run, as the schedule does; return whether all of them could be."""
    definitions = importlib.import_module("wxyc_assets.definitions").build_defs(operator=operator)
    job = definitions.resolve_implicit_global_asset_job_def()
    with open_instance() as instance:
        run = job.execute_in_process(
            instance=instance,
            asset_selection=sorted(definitions.resolve_asset_graph().observable_asset_keys),
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    return bool(run.success)
