"""The sensor that ends runs which were killed: nobody starts anything anew where Dagster believes a run to be at work."""

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.dead_runs import sweep


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it starts nothing, and without it a killed run stops the automation
    description=(
        "Ends runs whose process is gone (killed, or its machine restarted): Dagster would believe them to be at work for "
        "ever, and ask for nothing more of their assets. It starts nothing."
    ),
)
def dead_runs(context: dg.SensorEvaluationContext, postgres: dg.ResourceParam[Postgres]) -> dg.SkipReason:
    """One look at the runs that Dagster calls open, and at the locks that those alive must hold."""
    if ended := sweep(context.instance, postgres, context.log):
        return dg.SkipReason(f"ended {len(ended)} runs whose process was gone: {', '.join(ended)}")
    return dg.SkipReason("no run has lost its process")
