"""deploy/dagster.yaml differs from the laptop's instance only where it must, and Dagster accepts all its keys."""

from importlib.resources import files

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from tests.services.deployment import DEPLOY
from wxyc_assets.cli.instance import STORAGE_VARIABLE
from wxyc_assets.orchestration.dead_runs import GRACE

LAPTOP = yaml.safe_load((files("wxyc_assets.cli") / "dagster.yaml").read_text())
SERVICES = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
SERVICES_ONLY = {
    "compute_logs": "the webserver reads the logs in another container than the runs write them",
    "concurrency.runs.tag_concurrency_limits": "no operator waits at a terminal: the schedules must get a slot by themselves",
    "run_coordinator.config.dequeue_use_threads": "several runs start at once more often than on a laptop",
    "run_coordinator.config.dequeue_num_workers": "the same",
    "run_coordinator.config.max_user_code_failure_retries": "an operator replaces the code location while the daemon works",
    "run_coordinator.config.user_code_failure_retry_delay": "the same",
    "run_monitoring": "no operator sees that a run does not start, or does not stop",
}


def flat(value, prefix=""):
    """All leaves by their dotted paths; a list is a leaf."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf for name, inner in value.items() for key, leaf in flat(inner, f"{prefix}.{name}".strip(".")).items()
    }


def within(path, keys):
    """Whether a path is one of the keys, or below one of them."""
    return any(path == key or path.startswith(f"{key}.") for key in keys)


def test_the_instances_differ_only_where_there_is_a_reason():
    laptop, services = flat(LAPTOP), flat(SERVICES)
    assert {path for path in laptop.keys() & services.keys() if laptop[path] != services[path]} == set()
    assert laptop.keys() - services.keys() == set()
    extra = services.keys() - laptop.keys()
    assert {path for path in extra if not within(path, SERVICES_ONLY)} == set()
    assert {reason for reason in SERVICES_ONLY if not any(within(path, [reason]) for path in extra)} == set()


def test_dagster_accepts_every_key(tmp_path, monkeypatch):
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
    monkeypatch.setenv(STORAGE_VARIABLE, "postgresql+psycopg2://user@host/x")
    config, _ = dagster_instance_config(str(tmp_path))
    schemas = {
        "compute_logs": ("LocalComputeLogManager", LocalComputeLogManager.config_type()),
        "run_coordinator": ("QueuedRunCoordinator", QueuedRunCoordinator.config_type()),
    }
    for key, (name, schema) in schemas.items():
        assert config[key]["class"] == name
        assert process_config(schema, config[key]["config"]).success, key


def test_dagster_refuses_an_unknown_key(tmp_path):
    (tmp_path / "dagster.yaml").write_text("run_monitoring: {enabled: true, unknown_seconds: 1}")
    with pytest.raises(Exception, match="unknown_seconds"):
        dagster_instance_config(str(tmp_path))


def test_no_run_is_repeated_or_has_a_time_limit():
    assert SERVICES["run_retries"] == {"enabled": False, "retry_on_asset_or_op_failure": False}
    assert "max_runtime_seconds" not in SERVICES["run_monitoring"]
    assert SERVICES["run_monitoring"]["max_resume_run_attempts"] == 0
    assert SERVICES["run_monitoring"]["start_timeout_seconds"] == GRACE.total_seconds(), "both wait equally long"


def test_backfills_leave_a_slot_to_the_schedules():
    runs = SERVICES["concurrency"]["runs"]
    (limit,) = runs["tag_concurrency_limits"]
    assert limit == {"key": "dagster/backfill", "limit": runs["max_concurrent_runs"] - 1}
