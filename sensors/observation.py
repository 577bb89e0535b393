"""The schedule that looks at what is not ours: how many rows the station's tables have, and whether the price file holds."""

import dagster as dg

BEFORE_THE_WORK = "0 9 * * *"
"""UTC; half an hour before the day's first work on what was observed."""

observe_station = dg.ScheduleDefinition(
    name="observe_station",
    target=dg.AssetSelection.assets("library", "flowsheet", "rotation", "billing_event", "price_book"),
    cron_schedule=BEFORE_THE_WORK,
    execution_timezone="UTC",
    description=(
        "Observes what others own, every day at 09:00 UTC: counts the rows of the tables, tells whether they changed, "
        "and checks the price file. It reads and starts nothing else; a price file with a problem fails its run."
    ),
)
