"""The alerts as a JSON object and as lines: counts, causes, warnings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.cli.alerts_view import AlertsView, format_age
from wxyc_assets.monitoring.alerts.queries import AlertRow, SensorHeartbeat

NOW = datetime.now(UTC)
SEEN = NOW - timedelta(hours=3)
ON = SensorHeartbeat(ticked_at=NOW, age_s=20.0, problem=None)
RUN = AlertRow(
    alert_id=7, part_of=None, asset="album_metadata", source="album_metadata", kind="run", severity="error",
    message="album_metadata: the run failed\nLML answered nothing", partitions=["3"], occurrences=2, run_id="r-1",
    first_seen_at=SEEN, last_seen_at=NOW, closed_at=None, delivered_at=NOW, attempts=0, delivery_problem=None,
    details={"numbers": {"scanned": 4}},
)  # fmt: skip
PART = replace(RUN, alert_id=8, part_of=7, kind="unevaluated", source="accounting_holds", severity="warning")
WARNING = replace(
    RUN, alert_id=9, kind="check", source="surplus_answers_zero", severity="warning", occurrences=1, run_id=None
)


def view(*alerts, heartbeat=ON, has_sentry=True):
    return AlertsView(alerts, heartbeat, has_sentry=has_sentry)


def test_view_without_alerts_is_one_line():
    assert list(view().lines()) == ["no open alert"]
    assert view().summary()["open"] == 0


def test_alert_is_shown_with_its_story():
    """What, since when, the likely cause, the next command, the section of the runbook, and the run."""
    assert "\n".join(view(RUN).lines()).split("\n") == [
        "ERROR     album_metadata: the run failed",
        "          LML answered nothing",
        "          about: shard 3",
        f"          since: {SEEN:%Y-%m-%d %H:%M} UTC",
        "          likely cause: LML is down, cannot be reached, or refuses the key.",
        "          next command: wxyc doctor",
        "          runbook: `wxyc runbook failed_run`, docs/operations.md#failed_run",
        "          run: r-1",
        "          alert 7, first 3 h ago, 2 times",
        "1 open, 1 of them errors",
    ]


def test_alert_that_is_part_of_another_is_counted_with_it():
    seen = view(RUN, PART, WARNING)
    assert [alert.alert_id for alert in seen.causes] == [7, 9]
    text = "\n".join(seen.lines())
    assert "with the same cause: album_metadata accounting_holds\n" in text
    assert "alert 8" not in text
    assert "alert 9, first 3 h ago, once\n" in text
    assert text.endswith("2 open, 1 of them errors; 1 more have the same causes")


def test_an_asset_is_counted_with_the_cause_of_its_alerts():
    """LML is down: its alert is about no asset, and those of the assets are part of it."""
    cause = replace(RUN, alert_id=1, asset="LML", kind="cause", source="lml_down")
    seen = view(cause, replace(RUN, part_of=1), PART, WARNING)
    assert [seen.count_for(asset) for asset in ("album_metadata", "library_identity")] == [2, 0]
    assert view(cause, replace(RUN, part_of=1), PART).count_for("album_metadata") == 1


def test_part_is_a_cause_if_its_whole_has_recovered():
    recovered = replace(RUN, closed_at=NOW)
    assert [alert.alert_id for alert in view(recovered, PART).causes] == [8]
    assert "recovered album_metadata: the run failed" in "\n".join(view(recovered).lines())


def test_json_has_the_counts_and_every_column():
    printed = view(RUN, replace(WARNING, delivered_at=None, closed_at=None), replace(PART, closed_at=NOW)).as_json()
    alerts = printed.pop("alerts")
    assert printed == {
        "open": 2, "causes": 2, "errors": 1, "undelivered": 1, "sentry": "configured", "delivery_problem": None,
        "watched_at": NOW.isoformat(), "watched": True,
    }  # fmt: skip
    assert alerts[0] == {
        "alert_id": 7, "part_of": None, "asset": "album_metadata", "source": "album_metadata", "kind": "run",
        "severity": "error", "message": RUN.message, "partitions": ["3"], "occurrences": 2, "run_id": "r-1",
        "first_seen_at": SEEN.isoformat(),
        "last_seen_at": NOW.isoformat(), "closed_at": None, "delivered_at": NOW.isoformat(), "attempts": 0,
        "delivery_problem": None, "numbers": {"scanned": 4}, "needs_acknowledgement": False, "runbook": RUN.story().runbook,
        "about": "shard 3", "likely_cause": "LML is down, cannot be reached, or refuses the key.", "next_try_at": None,
        "next_command": "wxyc doctor", "run": "r-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heartbeat", "has_sentry", "warning"),
    [
        (SensorHeartbeat(None, None, None), True, "the sensor `alerts` has never run"),
        (SensorHeartbeat(NOW, 7200.0, None), True, "the sensor `alerts` last ran 2 h ago"),
        (SensorHeartbeat(NOW, 20.0, "it answered 503"), True, "the sensor `alerts`: it answered 503; it retries"),
        (ON, False, "SENTRY_DSN is not set: alerts are stored in the database only"),
    ],
)
def test_each_reason_for_missing_alerts_is_a_warning(heartbeat, has_sentry, warning):
    (shown,) = view(heartbeat=heartbeat, has_sentry=has_sentry).warnings()
    assert shown.startswith(warning)


def test_alert_that_sentry_does_not_have_says_why():
    undelivered = replace(RUN, delivered_at=None, delivery_problem="Sentry cannot be reached")
    assert "Sentry does not have it: Sentry cannot be reached" in "\n".join(view(undelivered).lines())


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (None, "never"),
        (-1, "0 s ago"),
        (119, "119 s ago"),
        (121, "2 min ago"),
        (7300, "2 h ago"),
        (9 * 86400, "9 d ago"),
    ],
)
def test_age_is_formatted_in_one_unit(age_s, text):
    assert format_age(age_s) == text
