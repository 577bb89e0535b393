"""The sensor that ends runs whose process was killed: while Dagster sees a run in progress, it requests no new one."""

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.orchestration.dead_runs import sweep


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it starts no run, and without it a killed run stops the automation
    description=(
        "Ends runs whose process is gone (killed, or its machine restarted). Dagster would believe forever that they are in "
        "progress, and would request nothing more of their assets. The sensor starts no run."
    ),
)
def dead_runs(
    context: dg.SensorEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
) -> dg.SkipReason:
    """Compare the runs that Dagster has as open with the locks that live runs hold."""
    if ended := sweep(context.instance, postgres, billing_postgres, context.log):
        return dg.SkipReason(f"ended {len(ended)} runs whose process was gone: {', '.join(ended)}")
    return dg.SkipReason("no run has lost its process")
