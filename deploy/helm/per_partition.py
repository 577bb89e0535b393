"""The code location on Kubernetes: the same graph, but each partition of a backfill is a run of its own, in pods of its own.

A run is a pod of K8sRunLauncher that starts one more, for its asset, with that asset's resources: Dagster has them for the pods
of k8s_job_executor only, because a run that is launched from the asset's page carries no tags of the asset.
"""  # noqa: INP001  # a script: Dagster loads it by its path

import dagster as dg
from dagster_k8s import k8s_job_executor

from wxyc_assets import definitions

MEMORY_MI = {
    "library_identity": 768,  # pages of 500 albums, sixteen of them in flight
    "album_metadata": 512,
    "flowsheet_enrichment": 384,
    "rotation_identity": 384,
    "rotation_cache": 384,
    "rated_usage": 384,  # PostgreSQL does the work
}
"""What the pod of an asset may use. It is requested as well, so that no run is ended for what another one uses."""

HOURS_IN_A_RUN = 24
"""An hour is rated in less time than a pod takes to start: a backfill of hours is a run a day."""


def resources(memory_mi: int) -> dict[str, object]:
    """Return the part of a pod that says what it needs, as the executor wants it."""
    memory = f"{memory_mi}Mi"
    wanted = {"requests": {"cpu": "250m", "memory": memory}, "limits": {"memory": memory}}
    return {"container_config": {"resources": wanted}}


def per_partition(asset: object) -> object:
    """Return the asset with backfills that launch a run per shard, or per day of hours; anything else as it is."""
    if not isinstance(asset, dg.AssetsDefinition) or asset.partitions_def is None or asset.backfill_policy is None:
        return asset
    hours = isinstance(asset.partitions_def, dg.HourlyPartitionsDefinition)
    return asset.with_attributes(backfill_policy=dg.BackfillPolicy.multi_run(HOURS_IN_A_RUN if hours else 1))


def build_defs() -> dg.Definitions:
    """Return the graph for Kubernetes."""
    graph = definitions.build_defs()
    return dg.Definitions(
        assets=[per_partition(asset) for asset in graph.assets or ()],
        asset_checks=graph.asset_checks,
        jobs=graph.jobs,
        schedules=graph.schedules,
        sensors=graph.sensors,
        resources=graph.resources,
        executor=k8s_job_executor.configured(
            {"per_step_k8s_config": {asset: resources(memory) for asset, memory in MEMORY_MI.items()}}
        ),
    )


defs = build_defs()
