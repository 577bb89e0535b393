"""The environment variables of the cron jobs that have no meaning here: which are refused, and which only ignored.

Refused is a variable that decided what a job reads or writes: a run that ignored ``DRY_RUN=true`` would write. A variable that
decided only how fast a job worked is ignored; ``wxyc doctor`` names it. docs/migration.md lists all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_OFF = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class JobVariable:
    """A variable that decided what a job reads or writes, and what does that here.

    ``harmless``: values in lower case with which the job did what a run does without the variable.
    ``unless``: a setting of ours; if it is set, the variable decides nothing.
    """

    instead: str
    harmless: frozenset[str] = frozenset()
    unless: str = ""


_DATABASE = JobVariable("set DATABASE_URL, such as postgresql://USER:PASSWORD@HOST:PORT/NAME", unless="DATABASE_URL")

REFUSED: Mapping[str, JobVariable] = {
    "DRY_RUN": JobVariable("unset it, and use `wxyc run ASSET --dry-run`", _OFF),
    "RECHECK": JobVariable("unset it, and use `wxyc run library_identity --recheck`", _OFF),
    "PARTITION_INDEX": JobVariable("unset it, and use `wxyc run ASSET --partition K`, a shard of 16", frozenset({"0"})),
    "PARTITION_COUNT": JobVariable("unset it, and use `wxyc run ASSET --partition K`, a shard of 16", frozenset({"1"})),
    **dict.fromkeys(("DB_HOST", "DB_PORT", "DB_NAME", "DB_USERNAME", "DB_PASSWORD"), _DATABASE),
}

IGNORED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "THROTTLE_MS", "BACKFILL_BULK_RATE_PER_MIN", "BACKFILL_LML_RATE_PER_MIN", "LML_CLIENT_MAX_CONCURRENT",
            "LML_CLIENT_RATE_PER_MIN",
        ),
        "LML_DISCOGS_BUDGET_PER_MIN",
    ),
    **dict.fromkeys(
        (
            "BATCH_SIZE", "VA_BATCH_SIZE", "ALBUM_LEVEL_BACKFILL_POST_PASS_TIMEOUT_MS",
            "ALBUM_LEVEL_BACKFILL_READ_TIMEOUT_MS", "BACKFILL_LML_RESOLVE_TIMEOUT_MS", "LML_LIMITER_MAX_QUEUE_WAIT_MS",
            "LML_BREAKER_FAILURE_THRESHOLD", "LML_BREAKER_OPEN_MS", "LML_CLASS5_TIMEOUT_MS", "LIVE_ACTIVITY_PAUSE_MS",
            "LIVE_ACTIVITY_MAX_PAUSE_MS", "DB_STATEMENT_TIMEOUT_MS", "DB_SYNCHRONOUS_COMMIT", "DB_APPLICATION_NAME",
        ),
        "",
    ),
}  # fmt: skip
"""Each with the setting that replaces it; empty: a constant does."""


def refused(variables: Mapping[str, str]) -> list[str]:
    """Return the problem of each variable that must not be ignored. ``variables``: those that are set, stripped."""
    return [
        f"{name}: is a variable of the cron jobs, and has no effect here: {variable.instead}"
        for name, variable in REFUSED.items()
        if name in variables and variables[name].lower() not in variable.harmless and variable.unless not in variables
    ]


def ignored(variables: Mapping[str, str]) -> list[str]:
    """Return each variable that is set and ignored, with the setting that replaces it."""
    return [
        f"{name} ({instead} replaces it)" if instead else name for name, instead in IGNORED.items() if name in variables
    ]
