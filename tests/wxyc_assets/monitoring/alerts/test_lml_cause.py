"""Which alerts LML causes, and the one alert that they become."""

from datetime import UTC, datetime

import pytest

from tests.wxyc_assets.monitoring.alerts.facts import AT, BLOCKING_CHECK, asset, failed, passed, run
from wxyc_assets.monitoring.alerts.lml_cause import FINGERPRINT, LmlContext, part_of_lml, with_lml_cause
from wxyc_assets.monitoring.alerts.rules import Alert, alert_changes
from wxyc_assets.monitoring.alerts.run_facts import Failure
from wxyc_assets.monitoring.lml_outage.rules import LmlRun, NextTry

DOWN = Failure(
    "album_metadata", "Failure", "LML answered none of the 9 albums asked; `wxyc doctor` says whether it is up"
)


def lml_run(*, unanswered=9, answered=0):
    return LmlRun("run", "album_metadata", True, AT, "", unanswered, answered)


def changes(*assets, end="failure", lml=None, next_try=None):
    return with_lml_cause(alert_changes(run(*assets, end=end)), LmlContext(lml, next_try))


def parts(found):
    return {alert.fingerprint: alert.part_of for alert in found.raised}


def test_lml_down_is_one_alert_with_the_cause_first():
    checks = [failed("eligible_left_zero"), failed("error_rate_healthy", severity="WARN")]
    down = asset(done="", failure=DOWN, expected=frozenset({"accounting_holds"}), evaluations=checks)
    found = changes(down, lml=lml_run())
    assert parts(found) == {
        "LML/lml_down": None,
        "album_metadata/eligible_left_zero": FINGERPRINT,
        "album_metadata/error_rate_healthy": FINGERPRINT,
        "album_metadata/album_metadata/Failure": FINGERPRINT,
        "album_metadata/accounting_holds/Failure": "album_metadata/album_metadata/Failure",
    }
    cause = found.raised[0]
    assert (cause.kind, cause.level) == ("cause", "error")
    assert cause.message == "LML does not answer: none of 9 inputs of album_metadata got an answer"


def test_an_lml_that_answers_in_part_is_named_so():
    found = changes(
        asset(evaluations=[failed("error_rate_healthy", severity="WARN")]),
        end="success",
        lml=lml_run(unanswered=3, answered=6),
    )
    assert found.raised[0].level == "warning"
    assert found.raised[0].message == "LML answers in part only: 3 of 9 inputs of album_metadata got no answer"


def test_a_closed_deploy_gate_is_part_of_lml_if_that_is_why():
    gate = failed("deploy_gate_open", blocking=True, description="LML's health could not be read: no connection to LML")
    found = changes(asset("rotation_cache", done="", failure=BLOCKING_CHECK, evaluations=[gate]))
    assert parts(found)["rotation_cache/deploy_gate_open"] == FINGERPRINT
    old = failed("deploy_gate_open", description="this LML is too old")
    assert parts(changes(asset("rotation_cache", evaluations=[old]), end="success")) == {
        "rotation_cache/deploy_gate_open": None
    }


def test_other_failures_of_the_same_run_stand_on_their_own():
    found = changes(
        asset(evaluations=[failed("answers_trusted"), failed("eligible_left_zero")]), end="success", lml=lml_run()
    )
    assert parts(found)["album_metadata/answers_trusted"] is None


@pytest.mark.parametrize(
    ("lml", "recovers"), [(lml_run(unanswered=0, answered=4), True), (lml_run(unanswered=0), False), (None, False)]
)
def test_the_cause_ends_when_lml_has_answered_a_run(lml, recovers):
    """A run that had nothing to ask proves nothing."""
    found = changes(asset(evaluations=[passed()]), end="success", lml=lml)
    assert ("LML" in {recovery.asset for recovery in found.recovered}) is recovers


def test_the_next_try_is_told_with_its_sensor():
    at = datetime(2026, 3, 4, 6, tzinfo=UTC)
    found = changes(asset(done="", failure=DOWN), lml=lml_run(), next_try=NextTry(lml_run(), at))
    assert [(alert.details["next_try_at"], alert.details["next_try_by"]) for alert in found.raised] == [
        ("2026-03-04T06:00:00+00:00", "after_outage")
    ] * 2


def test_late_partitions_of_assets_that_ask_lml_are_part_of_it():
    late = [
        Alert(name, "late", "freshness", "warning", "late", frozenset({"3"}))
        for name in ("album_metadata", "rated_usage")
    ]
    assert [alert.part_of for alert in part_of_lml(late)] == [FINGERPRINT, None]
