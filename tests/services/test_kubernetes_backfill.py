"""A backfill on Kubernetes: Dagster's own launcher and executor ask a cluster for pods, which are processes of this machine."""

import psycopg
import pytest
import yaml

from resources.postgres import Postgres
from tests.services import chart
from tests.services.cluster import Cluster
from tests.services.stack import stack, until
from tests.services.topology import DEPLOY, Service, entrypoint
from wxyc_assets.migrate import migrate

SHARDS = ["0", "5"]


def here(site, value):
    """What the chart says, in words of this machine."""
    return yaml.safe_load(site.here.text(yaml.safe_dump(value)))


def instance(site, kubeconfig):
    """The dagster.yaml of the chart, but for where its database and its cluster are."""
    made = here(site, chart.instance())
    where = psycopg.conninfo.conninfo_to_dict(site.dagster)
    database = {
        "username": where["user"],
        "hostname": "",
        "db_name": where["dbname"],
        "port": int(where["port"]),
        "params": {"host": where["host"]},
    }
    for kind in ("schedule_storage", "run_storage", "event_log_storage"):
        made[kind]["config"]["postgres_db"] |= database
    made["run_launcher"]["config"] |= {"load_incluster_config": False, "kubeconfig_file": str(kubeconfig)}
    return yaml.safe_dump(made)


@pytest.fixture
def cluster(site):
    """A cluster with the two Secrets that the operator makes."""
    settings = {name: value for name, value in site.settings.items() if name != "PRICE_FILE"}
    password = {"postgresql-password": psycopg.conninfo.conninfo_to_dict(site.dagster).get("password", "none")}
    with Cluster(site.here, {"wxyc-assets": settings, "wxyc-assets-dagster": password}).serving() as serving:
        yield serving


@pytest.fixture
def on_cluster(site, cluster):
    """The chart's three deployments, with the commands and the environment that its templates give them."""
    commands = chart.commands(entrypoint())
    containers = {name: here(site, container) for name, container in chart.containers().items()}
    services = {
        name: Service(
            name=name,
            command=[site.here.text(word) for word in command],
            environ=site.here.environ(cluster.environment(containers[name])),
            check=[site.here.text(word) for word in chart.checks().get(name, [])],
            waits_for={} if name == "code-location" else {"code-location": "service_healthy"},
        )
        for name, command in commands.items()
    }
    site.here.install(instance(site, cluster.kubeconfig()), site.here.text((DEPLOY / "workspace.yaml").read_text()))
    migrate(Postgres(site.station))
    with stack(services, site.here) as started:
        started.up()
        yield started


def test_a_backfill_is_a_run_per_shard_each_with_its_own_pods_and_its_assets_resources(site, cluster, on_cluster):
    until(lambda: site.ui.location() == ("LOADED", "RepositoryLocation"), within_s=60, what="workspace")
    backfill = site.ui.backfill("library_identity", SHARDS)
    until(lambda: len(site.ui.runs_of(backfill)) == len(SHARDS), within_s=90, what="a run each")
    until(lambda: set(site.ui.runs_of(backfill).values()) == {"SUCCESS"}, within_s=120, what="all done")
    assert site.ui.credited("library_identity") == SHARDS
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
    """What the one container of a pod may use."""
    (container,) = pod["containers"]
    return container["resources"]["limits"]["memory"]
