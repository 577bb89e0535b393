"""What an alert says: which partitions, the likely cause, the next command, the run."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from wxyc_assets.monitoring.alerts.story import named_partitions, tell


@dataclass(frozen=True)
class Facts:
    """An alert's columns."""

    asset: str = "album_metadata"
    source: str = "error_rate_healthy"
    kind: str = "check"
    message: str = "it failed"
    partitions: list[str] = field(default_factory=lambda: ["3"])
    run_id: str | None = "a-run"
    first_seen_at: datetime = datetime(2026, 3, 4, 5, tzinfo=UTC)
    details: dict[str, Any] = field(default_factory=dict)


def test_the_first_three_partitions_are_named():
    assert named_partitions("album_metadata", ["9", "10", "2", "11", "1"]) == "shards 1, 2, 9 and 2 more"
    assert named_partitions("rated_usage", ["2026-03-04-05:00"]) == "hour 2026-03-04-05:00"
    assert named_partitions("Dagster", ["a-run"]) == "run a-run"
    assert named_partitions("rotation_identity", [""]) == ""


def test_models_and_customers_are_named_with_the_hours():
    facts = Facts(
        "rated_usage", "unpriced_zero", partitions=["2026-03-04-05:00"], details={"who": "m of key-a (3 events)"}
    )
    assert tell(facts).which == "hour 2026-03-04-05:00; m of key-a (3 events)"


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        (
            Facts(source="answers_trusted", partitions=["3", "12"]),
            "wxyc run album_metadata --partition 3 --partition 12",
        ),
        (Facts(source="answers_trusted", partitions=list("12345")), "wxyc run album_metadata"),
        (Facts(source="writer_errors_zero"), "wxyc quarantine --asset album_metadata"),
        (Facts("rated_usage", "unpriced_zero"), 'wxyc prices check "$PRICE_FILE"'),
        (
            Facts("rated_usage", "reconciled_deletions", partitions=["2026-03-04-23:00", "2026-03-04-05:00"]),
            "wxyc run rated_usage --since 2026-03-04T05:00:00Z --until 2026-03-05T00:00:00Z --plan",
        ),
        (Facts("rotation_identity", "freshness", "late", partitions=[""]), "wxyc run rotation_identity"),
        (Facts("LML", "lml_down", "cause", partitions=[""]), "wxyc doctor"),
    ],
)
def test_the_next_command_is_about_the_partitions(facts, command):
    assert tell(facts).next_command == command


@pytest.mark.parametrize(
    ("reason", "error_class", "cause"),
    [
        ("LML answered none of the 9 albums asked", "Failure", "LML is down"),
        ("it failed", "LmlTimeout", "LML is down"),
        ("album_metadata/3 is being worked on by wxyc_assets run x", "Failure", "Another run worked"),
        ("The process of this run is gone", "RunFailure", "The process was killed"),
        ("connection failed", "OperationalError", "The database could not be reached"),
        ("Dagster could not launch the run: no code server", "RunFailure", "Dagster's code server"),
        ("list index out of range", "IndexError", "The exception names it"),
    ],
)
def test_a_failed_run_has_the_likely_cause_of_its_reason(reason, error_class, cause):
    facts = Facts(source="album_metadata", kind="run", message=reason, details={"root": error_class})
    assert tell(facts).likely_cause.startswith(cause)


def test_the_next_try_names_the_time_and_the_sensor():
    details = {"next_try_at": "2026-03-04T06:05:00+00:00", "next_try_by": "after_outage"}
    assert "next try: 2026-03-04 06:05 UTC, by the sensor after_outage" in list(tell(Facts(details=details)).lines())


@pytest.mark.parametrize(
    ("ui_url", "run"),
    [(None, "a-run"), ("http://ui/", "http://ui/runs/a-run"), ("http://ui/dagster", "http://ui/dagster/runs/a-run")],
)
def test_the_run_is_a_link_where_the_ui_is_known(ui_url, run):
    assert tell(Facts(), ui_url).run == run
    assert tell(Facts(run_id=None), ui_url).run == ""
