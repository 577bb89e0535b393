"""The origin of a run: *routine* (a schedule, sensor or automation launched it) or *explicit* (an operator did). Pure."""

from collections.abc import Mapping
from typing import Literal

RunOrigin = Literal["routine", "explicit"]

ORIGIN_TAG = "wxyc/origin"
"""The command line sets this tag, and it overrides the other tags."""

_ORIGINS: Mapping[str | None, RunOrigin] = {"routine": "routine", "explicit": "explicit"}
_AUTOMATIC = ("dagster/schedule_name", "dagster/sensor_name", "dagster/from_automation_condition")
_BY_HAND = ("dagster/parent_run_id", "dagster/parent_backfill_id", "dagster/from_ui")


def run_origin(tags: Mapping[str, str]) -> RunOrigin:
    """Return the origin that a run's tags state.

    ``dagster/backfill`` alone decides nothing: automation sets it too. A re-execution keeps the schedule tag of its parent and
    is still explicit: an operator launched it. Source: DESIGN, "Run origin".
    """
    stated = tags.get(ORIGIN_TAG)
    if stated in _ORIGINS:
        return _ORIGINS[stated]
    automatic = any(tag in tags for tag in _AUTOMATIC)
    return "routine" if automatic and not any(tag in tags for tag in _BY_HAND) else "explicit"
