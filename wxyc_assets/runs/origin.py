"""Who is behind a run: *routine* (a schedule, sensor or automation launched it) or *explicit* (a person did)."""

from collections.abc import Mapping
from typing import Literal

RunOrigin = Literal["routine", "explicit"]

ORIGIN_TAG = "wxyc/origin"
"""The command line says the origin with this tag, and the tag wins."""

_ORIGINS: Mapping[str | None, RunOrigin] = {"routine": "routine", "explicit": "explicit"}
_AUTOMATIC = ("dagster/schedule_name", "dagster/sensor_name", "dagster/from_automation_condition")
_BY_HAND = ("dagster/parent_run_id", "dagster/parent_backfill_id", "dagster/from_ui")


def run_origin(tags: Mapping[str, str]) -> RunOrigin:
    """Decide from a run's tags.

    ``dagster/backfill`` alone means nothing: automation sets it too. A re-execution keeps its parent's schedule tag, and is
    still a person's doing. Source: DESIGN, "Run origin".
    """
    said = tags.get(ORIGIN_TAG)
    if said in _ORIGINS:
        return _ORIGINS[said]
    automatic = any(tag in tags for tag in _AUTOMATIC)
    return "routine" if automatic and not any(tag in tags for tag in _BY_HAND) else "explicit"
