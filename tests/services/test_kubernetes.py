"""deploy/helm/values.yaml for Dagster's own launcher and executor: one run per partition, resources per asset."""

import importlib.util
import os
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster_k8s import K8sRunLauncher

from tests.documents import SETTINGS
from tests.services import chart
from tests.services.deployment import DEPLOY, image, image_environment
from wxyc_assets.cli.services.guard import own_hosts
from wxyc_assets.definitions import build_defs

SERVICES = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())


@pytest.fixture(scope="module")
def location():
    """The module deploy/helm/per_partition.py, loaded by its path as Dagster loads it."""
    spec = importlib.util.spec_from_file_location("per_partition", DEPLOY / "helm" / "per_partition.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_dagster_accepts_the_instance_of_the_chart(tmp_path):
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(chart.instance()))
    config, _ = dagster_instance_config(str(tmp_path))
    schemas = {
        "run_launcher": ("K8sRunLauncher", K8sRunLauncher.config_type()),
        "run_coordinator": ("QueuedRunCoordinator", QueuedRunCoordinator.config_type()),
    }
    for key, (name, schema) in schemas.items():
        assert config[key]["class"] == name
        result = process_config(schema, config[key]["config"])
        assert result.success, result.errors


def test_the_instance_is_that_of_compose_except_for_its_size():
    made = chart.instance()
    assert made["retention"]["schedule"] == SERVICES["retention"]["schedule"]
    days = made["retention"]["sensor"]["purge_after_days"]
    assert SERVICES["retention"]["sensor"]["purge_after_days"].items() <= days.items()
    assert SERVICES["run_monitoring"].items() <= made["run_monitoring"].items()
    assert "run_retries" not in made
    queue = made["run_coordinator"]["config"]
    assert [one["key"] for one in queue["tag_concurrency_limits"]] == ["dagster/backfill"]
    assert queue["tag_concurrency_limits"][0]["limit"] < queue["max_concurrent_runs"]


def test_a_backfill_has_one_run_per_shard_or_per_day_of_hours(location):
    ours, theirs = (defs.resolve_asset_graph() for defs in (build_defs(), location.defs))
    assert ours.get_all_asset_keys() == theirs.get_all_asset_keys()
    policies = {key.to_user_string(): theirs.get(key).backfill_policy for key in theirs.get_all_asset_keys()}
    most = {name: policy.max_partitions_per_run for name, policy in policies.items() if policy}
    hours = {
        key.to_user_string()
        for key in ours.get_all_asset_keys()
        if isinstance(ours.get(key).partitions_def, dg.HourlyPartitionsDefinition)
    }
    assert hours == {"rated_usage"}
    assert most == {name: 24 if name in hours else 1 for name in most}
    assert {"library_identity", "album_metadata", "flowsheet_enrichment", "rotation_cache"} <= set(most)


def test_every_materializable_asset_has_a_memory_limit(location):
    graph = build_defs().resolve_asset_graph()
    assert set(location.MEMORY_MI) == {key.to_user_string() for key in graph.materializable_asset_keys}


def test_the_values_reference_secrets_and_settings_only():
    given = chart.deployment()
    assert given["envSecrets"] == [{"name": "wxyc-assets"}]
    names = {one["name"] for one in given["env"]} | {one.split("=")[0] for one in chart.run_launcher()["env_vars"]}
    assert names == {"PRICE_FILE"} <= SETTINGS
    assert chart.values()["generatePostgresqlPasswordSecret"] is False
    assert not [line for line in (DEPLOY / "helm" / "values.yaml").read_text().splitlines() if "Password:" in line]


def test_code_location_and_runs_have_the_same_volumes():
    given, runs = chart.deployment(), chart.run_launcher()
    assert (given["volumes"], given["volumeMounts"]) == (runs["volumes"], runs["volume_mounts"])
    (price_file,) = {given["env"][0]["value"], runs["env_vars"][0].split("=")[1]}
    assert str(Path(price_file).parent) in {one["mountPath"] for one in given["volumeMounts"]}
    assert any("deploy/helm/per_partition.py" in rest for rest in image("COPY"))
    assert "/opt/wxyc-assets/per_partition.py" in given["dagsterApiGrpcArgs"]


def test_every_pod_has_the_images_user_and_a_read_only_root():
    user = int(image("USER")[-1].split(":")[0])
    services = [chart.deployment(), chart.values()["dagsterDaemon"], chart.values()["dagsterWebserver"]]
    for service in services:
        assert service["podSecurityContext"]["runAsUser"] == user
        assert service["podSecurityContext"]["runAsNonRoot"] is True
        assert chart.values()["x-scratch-mount"] in service["volumeMounts"]
        assert {"requests", "limits"} <= set(service["resources"])
    raw = chart.run_launcher()["run_k8s_config"]["pod_spec_config"]["securityContext"]
    assert raw == services[0]["podSecurityContext"]
    securities = [service["securityContext"] for service in services]
    securities += [chart.run_launcher()["security_context"], chart.deployment()["initContainers"][0]["securityContext"]]
    assert all(one["readOnlyRootFilesystem"] and not one["allowPrivilegeEscalation"] for one in securities)


def test_all_pods_have_the_same_image():
    images = [
        chart.deployment()["image"],
        chart.values()["dagsterDaemon"]["image"],
        chart.values()["dagsterWebserver"]["image"],
    ]
    assert {f"{one['repository']}:{one['tag']}" for one in images} == {chart.deployment()["initContainers"][0]["image"]}


def test_the_guard_lets_the_readiness_probe_pass():
    """The kubelet would send the address of the pod as Host."""
    webserver = chart.values()["dagsterWebserver"]
    (header,) = webserver["readinessProbe"]["httpGet"]["httpHeaders"]
    assert header["name"] == "Host"
    assert header["value"] in own_hosts(webserver["service"]["port"])


def test_the_image_finds_the_guarded_webserver_first():
    """The chart starts it by its name."""
    first, *_ = image_environment()["PATH"].split(":")
    assert any(one.startswith("deploy/bin/dagster-webserver ") and one.endswith(f"{first}/") for one in image("COPY"))
    assert os.access(DEPLOY / "bin" / "dagster-webserver", os.X_OK)
