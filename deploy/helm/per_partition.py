"""The code location on Kubernetes: the same graph, but each partition of a backfill is a separate run in separate pods.

A run is a pod of K8sRunLauncher, which starts another pod for the asset, with that asset's resources. Dagster sets resources
per asset only for pods of k8s_job_executor, because a run that a user launches from the asset's page has no tags of the asset.
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
"""The memory limit of an asset's pod. Its request is the same, so that Kubernetes ends no run for the memory of another."""

HOURS_PER_RUN = 24
"""Rating an hour takes less time than starting a pod, so a backfill of hours launches one run per day."""


def resources(memory_mi: int) -> dict[str, object]:
    """Return the resources of a pod in the form that the executor reads."""
    memory = f"{memory_mi}Mi"
    requirements = {"requests": {"cpu": "250m", "memory": memory}, "limits": {"memory": memory}}
    return {"container_config": {"resources": requirements}}


def per_partition(asset: object) -> object:
    """Return the asset with backfills that launch one run per shard, or per day of hours; return anything else unchanged."""
    if not isinstance(asset, dg.AssetsDefinition) or asset.partitions_def is None or asset.backfill_policy is None:
        return asset
    hours = isinstance(asset.partitions_def, dg.HourlyPartitionsDefinition)
    return asset.with_attributes(backfill_policy=dg.BackfillPolicy.multi_run(HOURS_PER_RUN if hours else 1))


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
