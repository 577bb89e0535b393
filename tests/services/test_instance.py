"""deploy/dagster.yaml is the laptop's instance but for what differs for a reason, and Dagster takes every key of it."""

from importlib.resources import files

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from tests.services.topology import DEPLOY
from wxyc_assets.cli.instance import STORAGE_VARIABLE
from wxyc_assets.dead_runs import GRACE

LAPTOP = yaml.safe_load((files("wxyc_assets.cli") / "dagster.yaml").read_text())
SERVICES = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
SERVICES_ONLY = {
    "compute_logs": "the webserver reads in another container what the runs wrote",
    "concurrency.runs.tag_concurrency_limits": "nobody waits at a terminal: the schedules must get their turn by themselves",
    "run_coordinator.config.dequeue_use_threads": "several runs are launched at once more often than on a laptop",
    "run_coordinator.config.dequeue_num_workers": "the same",
    "run_coordinator.config.max_user_code_failure_retries": "a code location is replaced while the daemon works",
    "run_coordinator.config.user_code_failure_retry_delay": "the same",
    "run_monitoring": "nobody sees that a run does not start, or does not stop",
}


def flat(value, prefix=""):
    """Every leaf by its dotted path; a list is a leaf."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf for name, inner in value.items() for key, leaf in flat(inner, f"{prefix}.{name}".strip(".")).items()
    }


def within(path, keys):
    """Whether a path is one of the keys, or below one."""
    return any(path == key or path.startswith(f"{key}.") for key in keys)


def test_the_two_instances_differ_where_there_is_a_reason_and_nowhere_else():
    laptop, services = flat(LAPTOP), flat(SERVICES)
    assert {path for path in laptop.keys() & services.keys() if laptop[path] != services[path]} == set()
    assert laptop.keys() - services.keys() == set()
    more = services.keys() - laptop.keys()
    assert {path for path in more if not within(path, SERVICES_ONLY)} == set()
    assert {reason for reason in SERVICES_ONLY if not any(within(path, [reason]) for path in more)} == set()


def test_dagster_takes_every_key(tmp_path, monkeypatch):
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
    monkeypatch.setenv(STORAGE_VARIABLE, "postgresql+psycopg2://nobody@nowhere/x")
    config, _ = dagster_instance_config(str(tmp_path))
    for key, kind in {"compute_logs": LocalComputeLogManager, "run_coordinator": QueuedRunCoordinator}.items():
        assert config[key]["class"] == kind.__name__
        assert process_config(kind.config_type(), config[key]["config"]).success, key


def test_a_key_that_dagster_does_not_know_is_noticed(tmp_path):
    (tmp_path / "dagster.yaml").write_text("run_monitoring: {enabled: true, patience_seconds: 1}")
    with pytest.raises(Exception, match="patience_seconds"):
        dagster_instance_config(str(tmp_path))


def test_no_run_is_repeated_or_ended_for_how_long_it_takes():
    assert SERVICES["run_retries"] == {"enabled": False, "retry_on_asset_or_op_failure": False}
    assert "max_runtime_seconds" not in SERVICES["run_monitoring"]
    assert SERVICES["run_monitoring"]["max_resume_run_attempts"] == 0
    assert SERVICES["run_monitoring"]["start_timeout_seconds"] == GRACE.total_seconds(), "one patience for both"


def test_backfills_leave_a_place_to_the_schedules():
    runs = SERVICES["concurrency"]["runs"]
    (limit,) = runs["tag_concurrency_limits"]
    assert limit == {"key": "dagster/backfill", "limit": runs["max_concurrent_runs"] - 1}
