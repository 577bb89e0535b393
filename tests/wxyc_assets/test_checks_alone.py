"""A person clicks on Execute beside a check: it is refused with what to do instead, before anything is touched."""

import dagster as dg
import pytest

from wxyc_assets.cli.launch import failure_reason
from wxyc_assets.definitions import build_defs
from wxyc_assets.wiring_dagster import default_resources

ALONE = {"rotation_cache"}
"""Its gate and its rate can be looked at without a run: tests/wxyc_assets/rotation_cache/test_asset.py."""

DEFS = build_defs(**dict.fromkeys(default_resources(), object()))
CHECKS = sorted(DEFS.resolve_asset_graph().asset_check_keys)


@pytest.mark.parametrize("asset", sorted({key.asset_key.to_user_string() for key in CHECKS} - ALONE))
def test_checks_without_their_asset_are_refused_with_what_to_do_instead(instance, asset):
    wanted = {key for key in CHECKS if key.asset_key.to_user_string() == asset}
    job = DEFS.resolve_implicit_global_asset_job_def().get_subset(asset_selection=set(), asset_check_selection=wanted)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    run = job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
    assert not run.success
    reason = failure_reason(instance, run.run_id)
    assert f"the checks of {asset} judge what a run of it did" in reason
    assert f"materialize {asset}" in reason
    assert run.get_asset_check_evaluations() == []
    assert isinstance(run.dagster_run, dg.DagsterRun)
