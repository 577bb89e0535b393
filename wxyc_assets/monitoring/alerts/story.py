"""What an alert says: which partitions, since when, the likely cause, the next command, and where to read on. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.monitoring.lml_outage.rules import is_reason
from wxyc_assets.runs import runbook
from wxyc_assets.runs.partitions import HOUR, hour_start, rfc3339

SHOWN = 3
NOUNS: Final = {"shards": "shard", "hours": "hour", "today": "day"}
RERUN: Final = "rerun"
"""Stands for the command that runs the alert's partitions again."""

DOCTOR: Final = "wxyc doctor"
PRICES: Final = 'wxyc prices check "$PRICE_FILE"'
QUARANTINE: Final = "quarantine"
"""Stands for the command that lists the quarantined inputs of the alert's asset."""


@dataclass(frozen=True)
class Advice:
    """The likely cause of an alert, in one sentence, and the next command."""

    cause: str
    command: str


ADVICE: Final[Mapping[str, Advice]] = {
    "accounting_holds": Advice("A defect of the code, not of the data: report it with the log.", "wxyc status"),
    "ambiguous_base_zero": Advice("A customer's events of one hour name two bases of one fine-tune.", "wxyc status"),
    "ambiguous_org_zero": Advice(
        "A customer's events of one hour name two organisations: tell the gateway's owner.", "wxyc status"
    ),
    "anomalies_add_up": Advice("A defect of the code, not of the data: report it with the log.", "wxyc status"),
    "answers_trusted": Advice("LML answered about other inputs than it was asked about: tell its owner.", RERUN),
    "contract_violations_zero": Advice("LML's answers break its contract: tell its owner.", QUARANTINE),
    "coverage_of_resolvable": Advice(
        "LML does not know releases of the rotation.", "wxyc run rotation_identity --dry-run"
    ),
    "deploy_gate_open": Advice("LML is too old, or its version cannot be found out.", DOCTOR),
    "eligible_left_zero": Advice("Another failed check of the same run, or LML did not answer for all.", RERUN),
    "billing_unreachable": Advice("The database in BILLING_DATABASE_URL is down, or not migrated.", DOCTOR),
    "error_rate_healthy": Advice("LML fails for many inputs.", DOCTOR),
    "freshness": Advice("The sensor or the schedule is off, or its runs fail.", RERUN),
    "lml_down": Advice("LML is down, cannot be reached, or refuses the key.", DOCTOR),
    "metadata_trusted": Advice("album_metadata met answers out of order in these shards.", "wxyc run album_metadata"),
    "negative_tokens_zero": Advice(
        "A gateway reports negative token counts: tell its owner, and rate the hours again.", "wxyc status"
    ),
    "not_found_rate": Advice("LML no longer knows identities of the rotation: tell its owner.", QUARANTINE),
    "price_changed": Advice("Finance installed another price file: ask whether it was to change these bills.", PRICES),
    "reconciled_deletions": Advice("Events that were billed are gone from billing_event.", RERUN + " --plan"),
    "sealed_hours_stand": Advice(
        "Events arrived late for sealed hours, or the run had other prices: ask finance whether to open them again.",
        RERUN + " --plan",
    ),
    "stale_shards": Advice("The sensor stale_identities is off, or its runs fail.", RERUN),
    "surplus_answers_zero": Advice("LML gave more answers than it was asked for: tell its owner.", RERUN),
    "trailing_hours_rated": Advice(
        "The schedule rate_trailing_hours is off, or its runs fail.", "wxyc run rated_usage"
    ),
    "unattributable_zero": Advice(
        "Events without customer, deployment or model: tell the gateway's owner.", "wxyc status"
    ),
    "unexpected_index_24h_is_zero": Advice(
        "LML's answers were not in the order of the request: tell its owner.", QUARANTINE
    ),
    "unexpected_index_is_zero": Advice(
        "LML's answers were not in the order of the request: tell its owner.", QUARANTINE
    ),
    "unpriced_zero": Advice("The price file names neither the model nor its base.", PRICES),
    "unreadable_run": Advice("Dagster was updated or went back a version, or its storage is damaged.", DOCTOR),
    "unresolved_rate_usual": Advice("LML may have lost a data source: ask its owner.", "wxyc status"),
    "marked_plays_have_metadata": Advice(
        "Rows of album_metadata were deleted or emptied: ask who did it.", "wxyc status"
    ),
    "waiting_left_zero": Advice("Another session held the rows of these plays.", RERUN),
    "unrated_events": Advice(
        "Events were stored after the last rating of their hour, or no run rated the hour.",
        "wxyc run rated_usage --late --plan",
    ),
    "work_without_charge": Advice("The price file has a rate of 0 for a model.", PRICES),
    "writer_errors_zero": Advice("A table refused rows; the quarantine has PostgreSQL's reason.", QUARANTINE),
}
"""By the alert's source: every check, and every source that is no check."""

FAILED_RUNS: Final[Sequence[tuple[str, Advice]]] = (
    ("is being worked on by", Advice("Another run worked on the same partition for longer than a minute.", RERUN)),
    ("process of this run is gone", Advice("The process was killed, or its machine restarted.", RERUN)),
    ("Dagster could not launch the run", Advice("Dagster's code server does not answer.", DOCTOR)),
    ("the cache of today", Advice("The run was for another day's partition.", "wxyc run rotation_cache")),
    ("price", Advice("The price file is missing, or breaks a rule.", PRICES)),
)
"""By words of the reason of a failed run."""

DATABASE_ERRORS = ("OperationalError", "DatabaseError", "AdminShutdown")
UNKNOWN = Advice("The exception names it; the run's page has the traceback.", DOCTOR)


class AlertFacts(Protocol):
    """What the story of an alert is told from."""

    @property
    def asset(self) -> str:
        """The asset's name."""

    @property
    def source(self) -> str:
        """The check, the step, or the name of the condition."""

    @property
    def kind(self) -> str:
        """What failed."""

    @property
    def message(self) -> str:
        """What happened."""

    @property
    def partitions(self) -> Sequence[str]:
        """What still has to recover."""

    @property
    def run_id(self) -> str | None:
        """The run that raised it last."""

    @property
    def first_seen_at(self) -> datetime:
        """Since when it is open."""

    @property
    def details(self) -> Mapping[str, Any]:
        """The error's class, and when a sensor tries again."""


@dataclass(frozen=True)
class Story:
    """What an alert says. Empty: the alert has no such thing."""

    what: str
    which: str
    since: str
    likely_cause: str
    next_try: str
    next_command: str
    runbook: str
    run: str

    def lines(self) -> Iterator[str]:
        """Return the story, one fact a line, what happened first."""
        yield self.what
        named = {
            "about": self.which,
            "since": self.since,
            "likely cause": self.likely_cause,
            "next try": self.next_try,
            "next command": self.next_command,
            "runbook": f"`{runbook.command(self.runbook)}`, {self.runbook}",
            "run": self.run,
        }
        yield from (f"{name}: {text}" for name, text in named.items() if text)


def tell(alert: AlertFacts, ui_url: str | None = None) -> Story:
    """Return the story of an alert. ``ui_url``: where Dagster's UI is; without it a run is named by its id."""
    advice = _advice(alert)
    return Story(
        what=alert.message,
        which="; ".join(
            filter(None, (named_partitions(alert.asset, alert.partitions), str(alert.details.get("who") or "")))
        ),
        since=f"{alert.first_seen_at:%Y-%m-%d %H:%M} UTC",
        likely_cause=advice.cause,
        next_try=_next_try(alert.details),
        next_command=_command(advice.command, alert),
        runbook=runbook.alert_section(alert.kind, alert.source),
        run=run_link(alert.run_id, ui_url),
    )


def run_link(run_id: str | None, ui_url: str | None) -> str:
    """Return the address of a run's page; without a UI the run's id; empty without a run."""
    return f"{ui_url.rstrip('/')}/runs/{run_id}" if run_id and ui_url else run_id or ""


def named_partitions(asset: str, partitions: Sequence[str]) -> str:
    """Name the first three partitions, and how many more there are; empty for an asset as a whole."""
    keys = sorted((key for key in partitions if key), key=lambda key: (len(key), key))
    if not keys:
        return ""
    noun = {"shards": "shard", "hours": "hour", "today": "day"}.get(
        BY_NAME[asset].partitions if asset in BY_NAME else "", "run"
    )
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return f"{noun}{'s' if len(keys) > 1 else ''} {', '.join(keys[:SHOWN])}{more}"


def _advice(alert: AlertFacts) -> Advice:
    if alert.kind not in {"run", "unevaluated"}:
        return ADVICE.get(alert.source, UNKNOWN)
    error_class = str(alert.details.get("root") or "")
    if is_reason(alert.message, error_class):
        return ADVICE["lml_down"]
    if error_class in DATABASE_ERRORS:
        return Advice("The database could not be reached, or ended the session.", DOCTOR)
    return next((advice for words, advice in FAILED_RUNS if words in alert.message), UNKNOWN)


def _next_try(details: Mapping[str, Any]) -> str:
    if not details.get("next_try_at"):
        return ""
    at = datetime.fromisoformat(details["next_try_at"])
    return f"{at:%Y-%m-%d %H:%M} UTC, by the sensor {details.get('next_try_by')}"


def _command(command: str, alert: AlertFacts) -> str:
    if command == QUARANTINE:
        return f"wxyc quarantine --asset {alert.asset}"
    return command.replace(RERUN, _rerun(alert)) if RERUN in command else command


def _rerun(alert: AlertFacts) -> str:
    """Return the command that does the alert's partitions again; the whole asset's if they are many."""
    keys = sorted((key for key in alert.partitions if key), key=lambda key: (len(key), key))
    info = BY_NAME.get(alert.asset)
    if info is None:
        return DOCTOR
    if info.partitions == "hours":
        return f"wxyc run {alert.asset}{_window(keys)}"
    options = (
        "".join(f" --partition {key}" for key in keys) if info.partitions == "shards" and len(keys) <= SHOWN else ""
    )
    return f"wxyc run {alert.asset}{options}"


def _window(hours: Sequence[str]) -> str:
    """Return the options for the window of these hours; empty if there is none, or one that is no hour."""
    try:
        since, until = hour_start(hours[0]), hour_start(hours[-1]) + HOUR
    except (IndexError, ValueError):
        return ""
    return f" --since {rfc3339(since)} --until {rfc3339(until)}"
