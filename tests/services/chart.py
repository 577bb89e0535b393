"""What the templates of Dagster's chart make of deploy/helm/values.yaml; only the parts that these values affect."""

from functools import cache
from typing import Any

import yaml

from tests.services.deployment import DEPLOY

RELEASE = "wxyc"
NAMESPACE = "wxyc"
DAGSTER_HOME = "/opt/dagster/dagster_home"


@cache
def values() -> dict[str, Any]:
    """The content of deploy/helm/values.yaml."""
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "helm" / "values.yaml").read_text())
    return content


def deployment() -> dict[str, Any]:
    """The values of the one code location."""
    deployments: list[dict[str, Any]] = values()["dagster-user-deployments"]["deployments"]
    (found,) = deployments
    return found


def storage() -> dict[str, Any]:
    """The result of templates/helpers/instance/_postgresql.tpl."""
    given = values()["postgresql"]
    return {
        "postgres_db": {
            "username": given["postgresqlUsername"],
            "password": {"env": "DAGSTER_PG_PASSWORD"},
            "hostname": given["postgresqlHost"],
            "db_name": given["postgresqlDatabase"],
            "port": given["service"]["port"],
            "params": {},
            "scheme": given["postgresqlScheme"],
        }
    }


def run_launcher() -> dict[str, Any]:
    """The result of templates/helpers/instance/_run-launcher.tpl."""
    given = values()["runLauncher"]["config"]["k8sRunLauncher"]
    raw = given["runK8sConfig"]
    return {
        "load_incluster_config": given["loadInclusterConfig"],
        "job_namespace": NAMESPACE,
        "image_pull_policy": given["imagePullPolicy"],
        "service_account_name": f"{RELEASE}-dagster",
        "dagster_home": DAGSTER_HOME,
        "instance_config_map": f"{RELEASE}-dagster-instance",
        "postgres_password_secret": values()["global"]["postgresqlSecretName"],
        "env_secrets": [one["name"] for one in given["envSecrets"]],
        "env_vars": given["envVars"],
        "volume_mounts": given["volumeMounts"],
        "volumes": given["volumes"],
        "resources": given["resources"],
        "security_context": given["securityContext"],
        "run_k8s_config": {
            "pod_spec_config": raw["podSpecConfig"],
            "pod_template_spec_metadata": raw["podTemplateSpecMetadata"],
            "job_spec_config": raw["jobSpecConfig"],
        },
    }


def instance() -> dict[str, Any]:
    """The result of templates/configmap-instance.yaml: the dagster.yaml of every pod."""
    daemon, retention = values()["dagsterDaemon"], values()["retention"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    monitoring = daemon["runMonitoring"]
    kinds = {
        "schedule_storage": "PostgresScheduleStorage",
        "run_storage": "PostgresRunStorage",
        "event_log_storage": "PostgresEventLogStorage",
    }
    modules = {"event_log_storage": "dagster_postgres.event_log"}
    return {
        "scheduler": {"module": "dagster.core.scheduler", "class": "DagsterDaemonScheduler"},
        **{
            key: {"module": modules.get(key, f"dagster_postgres.{key}"), "class": kind, "config": storage()}
            for key, kind in kinds.items()
        },
        "run_launcher": {"module": "dagster_k8s", "class": values()["runLauncher"]["type"], "config": run_launcher()},
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": daemon["runCoordinator"]["type"],
            "config": {
                "max_concurrent_runs": queue["maxConcurrentRuns"],
                "tag_concurrency_limits": queue["tagConcurrencyLimits"],
                "dequeue_interval_seconds": queue["dequeueIntervalSeconds"],
                "dequeue_use_threads": queue["dequeueUseThreads"],
                "dequeue_num_workers": queue["dequeueNumWorkers"],
            },
        },
        "compute_logs": {
            "module": "dagster.core.storage.noop_compute_log_manager",
            "class": values()["computeLogManager"]["type"],
        },
        "run_monitoring": {
            "enabled": monitoring["enabled"],
            "start_timeout_seconds": monitoring["startTimeoutSeconds"],
            "cancel_timeout_seconds": monitoring["cancelTimeoutSeconds"],
            "max_resume_run_attempts": monitoring["maxResumeRunAttempts"],
            "poll_interval_seconds": monitoring["pollIntervalSeconds"],
            "free_slots_after_run_end_seconds": monitoring["freeSlotsAfterRunEndSeconds"],
        },
        **{
            kind: {"use_threads": daemon[kind]["useThreads"], "num_workers": daemon[kind]["numWorkers"]}
            for kind in ("sensors", "schedules")
        },
        "telemetry": values()["telemetry"],
        "retention": {kind: {"purge_after_days": retention[kind]["purgeAfterDays"]} for kind in ("schedule", "sensor")},
        **values()["additionalInstanceConfig"],
    }


def checks() -> dict[str, list[str]]:
    """The readiness probes of the code location and the webserver, as commands; the daemon has none."""
    probe = values()["dagsterWebserver"]["readinessProbe"]["httpGet"]
    (header,) = probe["httpHeaders"]  # without it the kubelet sends the address of the pod
    url, headers = f"http://127.0.0.1:{probe['port']}{probe['path']}", {header["name"]: header["value"]}
    ask = f"import urllib.request as r; r.urlopen(r.Request({url!r}, headers={headers!r}))"
    return {
        "code-location": ["dagster", "api", "grpc-health-check", "-p", str(deployment()["port"])],
        "webserver": ["python", "-c", ask],
    }


def commands(entry: list[str]) -> dict[str, list[str]]:
    """The commands of the chart's three deployments. Only the code location keeps the image's entry point ``entry``."""
    location, webserver = deployment(), values()["dagsterWebserver"]
    address = ["-h", "0.0.0.0", "-p"]  # noqa: S104  # the chart's own value
    workspace = ["-w", "/dagster-workspace/workspace.yaml"]
    grpc = [*address, str(location["port"]), *location["dagsterApiGrpcArgs"]]
    return {
        "code-location": [*entry, "dagster", "api", "grpc", *grpc],
        "webserver": ["dagster-webserver", *address, str(webserver["service"]["port"]), *workspace],
        "daemon": ["dagster-daemon", "run", *workspace],
    }


def containers() -> dict[str, dict[str, Any]]:
    """The environment of the same three deployments."""
    location = deployment()
    reference = {"secretKeyRef": {"name": values()["global"]["postgresqlSecretName"], "key": "postgresql-password"}}
    shared = [{"name": "DAGSTER_PG_PASSWORD", "valueFrom": reference}, {"name": "DAGSTER_HOME", "value": DAGSTER_HOME}]
    image = {"name": "DAGSTER_CURRENT_IMAGE", "value": f"{location['image']['repository']}:{location['image']['tag']}"}
    secrets = [{"secretRef": one} for one in location["envSecrets"]]
    return {
        "code-location": {"env": [*shared, image, *location["env"]], "envFrom": secrets},
        "webserver": {"env": [*shared, *values()["dagsterWebserver"]["env"]]},
        "daemon": {"env": [*shared, *values()["dagsterDaemon"]["env"]]},
    }
