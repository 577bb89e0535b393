"""A backfill on a fake Kubernetes: Dagster's own launcher and executor create pods, which are processes of this machine."""

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from resources.postgres import Postgres
from tests.services import chart
from tests.services.deployment import DEPLOY, Service, entrypoint
from tests.services.fake_cluster import FakeCluster
from tests.services.stack import TIMEOUT_S, stack
from tests.waiting import wait_for
from wxyc_assets.database.migrate import migrate

SHARDS = ["0", "5"]

pytestmark = pytest.mark.timeout(6 * TIMEOUT_S)


def localized(site, value):
    """A value of the chart, adapted to this machine."""
    return yaml.safe_load(site.machine.text(yaml.safe_dump(value)))


def instance(site, kubeconfig):
    """The dagster.yaml of the chart, with the addresses of the test's database and cluster."""
    made = localized(site, chart.instance())
    address = conninfo_to_dict(site.dagster)
    database = {
        "username": address["user"],
        "hostname": "",
        "db_name": address["dbname"],
        "port": int(str(address["port"])),
        "params": {"host": address["host"]},
    }
    for kind in ("schedule_storage", "run_storage", "event_log_storage"):
        made[kind]["config"]["postgres_db"] |= database
    made["run_launcher"]["config"] |= {"load_incluster_config": False, "kubeconfig_file": str(kubeconfig)}
    return yaml.safe_dump(made)


@pytest.fixture
def cluster(site):
    """A cluster with the two Secrets that the operator creates."""
    settings = {name: value for name, value in site.settings.items() if name != "PRICE_FILE"}
    password = {"postgresql-password": str(conninfo_to_dict(site.dagster).get("password", "none"))}
    with FakeCluster(site.machine, {"wxyc-assets": settings, "wxyc-assets-dagster": password}).serving() as serving:
        yield serving


@pytest.fixture
def on_cluster(site, cluster):
    """The chart's three deployments, with the commands and environment of its templates."""
    commands = chart.commands(entrypoint())
    containers = {name: localized(site, container) for name, container in chart.containers().items()}
    services = {
        name: Service(
            name=name,
            command=[site.machine.text(word) for word in command],
            environ=site.machine.environ(cluster.environment(containers[name])),
            check=[site.machine.text(word) for word in chart.checks().get(name, [])],
            depends_on={} if name == "code-location" else {"code-location": "service_healthy"},
        )
        for name, command in commands.items()
    }
    site.machine.install(
        instance(site, cluster.kubeconfig()), site.machine.text((DEPLOY / "workspace.yaml").read_text())
    )
    migrate(Postgres(site.station))
    with stack(services, site.machine) as started:
        started.up()
        yield started


def test_a_backfill_has_one_run_per_shard_in_its_own_pods(site, cluster, on_cluster):
    """Each step's pod has the resources of its asset."""
    webserver = site.webserver
    wait_for(lambda: webserver.location() == ("LOADED", "RepositoryLocation"), "loaded code location", TIMEOUT_S)
    backfill = webserver.backfill("library_identity", SHARDS)
    wait_for(lambda: len(webserver.runs_of(backfill)) == len(SHARDS), "run per shard", TIMEOUT_S)
    wait_for(lambda: set(webserver.runs_of(backfill).values()) == {"SUCCESS"}, "success of both runs", TIMEOUT_S)
    assert webserver.materialized("library_identity") == SHARDS
    runs, steps = cluster.pods("run_worker"), cluster.pods("step_worker")
    assert len(runs) == len(steps) == len(SHARDS)
    assert {memory_of(pod) for pod in runs} == {"384Mi"}
    assert {memory_of(pod) for pod in steps} == {"768Mi"}
    for pod in (*runs, *steps):
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "wxyc-assets"}}]
        assert {one["name"] for one in container["env"] if one.get("valueFrom")} == {"DAGSTER_PG_PASSWORD"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["securityContext"]["runAsUser"] == 10001


def memory_of(pod):
    """The memory limit of a pod's only container."""
    (container,) = pod["containers"]
    return container["resources"]["limits"]["memory"]
