"""The schedule that observes what others own: the row counts of the station's tables, and whether the price file is valid."""

import dagster as dg

from wxyc_assets.assets.jobs import OBSERVATION_JOB

BEFORE_THE_WORK = "0 9 * * *"
"""UTC; half an hour before the day's first run on what was observed."""

observe_station = dg.ScheduleDefinition(
    name="observe_station",
    job=OBSERVATION_JOB,
    cron_schedule=BEFORE_THE_WORK,
    execution_timezone="UTC",
    description=(
        "Observes what others own, every day at 09:00 UTC: counts the rows of the tables, records whether they changed, "
        "and checks the price file. It only reads, and starts nothing else. A price file with a problem fails its run."
    ),
)
