"""Which alerts the end of a run raises, and what it recovers."""

import pytest

from tests.wxyc_assets.monitoring.alerts.facts import BLOCKING_CHECK, TIMEOUT, asset, failed, passed, run
from wxyc_assets.monitoring.alerts.rules import MONEY, alert_changes, is_money, unacknowledged
from wxyc_assets.monitoring.alerts.run_facts import WHOLE_ASSET


def raised(*assets, end="success"):
    return {alert.fingerprint: alert for alert in alert_changes(run(*assets, end=end)).raised}


def recovered(*assets, end="success"):
    return {
        (one.kind, one.source): set(one.partitions) for one in alert_changes(run(*assets, end=end)).recovered
    }  # fmt: skip


# Checks


def test_a_failed_check_of_a_successful_run_is_an_alert():
    (alert,) = raised(asset(evaluations=[failed(description="3 rows", numbers={"rows": 3})])).values()
    assert (alert.fingerprint, alert.kind, alert.level) == ("album_metadata/a_check", "check", "error")
    assert alert.message == "album_metadata: check a_check failed: 3 rows"
    assert alert.details["numbers"] == {"rows": 3}


def test_a_failed_check_of_severity_warn_is_a_warning():
    assert [alert.level for alert in raised(asset(evaluations=[failed(severity="WARN")])).values()] == ["warning"]


def test_a_check_without_description_is_described_by_its_numbers():
    (alert,) = raised(asset(evaluations=[failed(numbers={"rows": 3, "of": 9})])).values()
    assert alert.message.endswith("failed: rows 3, of 9")


@pytest.mark.parametrize(
    ("scope", "attributed", "partitions"),
    [
        ("partitions", "", {"0", "1"}),
        ("partitions", "1", {"1"}),
        ("asset", "", {WHOLE_ASSET}),
        ("asset", "1", {WHOLE_ASSET}),
    ],
)
def test_the_scope_of_a_check_decides_what_has_to_recover(scope, attributed, partitions):
    evaluation = failed(scope=scope, partitions=frozenset(attributed.split()))
    (alert,) = raised(asset(evaluations=[evaluation])).values()
    assert alert.partitions == partitions


def test_a_failed_check_of_a_watched_condition_is_no_alert():
    assert raised(asset(evaluations=[failed(scope="watched")])) == {}


def test_a_passed_check_recovers_the_credited_partitions_only():
    partly = asset(planned="0 1 2", done="0 1", evaluations=[passed()])
    assert recovered(partly)["check", "a_check"] == {"0", "1", WHOLE_ASSET}


def test_a_passed_check_of_the_asset_recovers_the_whole_asset():
    assert recovered(asset(evaluations=[passed(scope="asset")]))["check", "a_check"] == {WHOLE_ASSET}
    assert recovered(asset(planned="", done="", evaluations=[passed()]))["check", "a_check"] == {WHOLE_ASSET}


def test_an_evaluation_recovers_the_unevaluated_alert():
    assert recovered(asset(evaluations=[failed()])) == {
        ("unevaluated", "a_check"): {WHOLE_ASSET}, ("run", None): {"0", "1", WHOLE_ASSET},
    }  # fmt: skip


# Runs


def test_a_failed_run_is_an_alert_about_its_missed_partitions():
    (alert,) = raised(asset(done="0", failure=TIMEOUT), end="failure").values()
    assert (alert.fingerprint, alert.kind, alert.level) == ("album_metadata/step/TimeoutError", "run", "error")
    assert alert.message == "album_metadata: run failed: LML did not answer"
    assert alert.partitions == {"1"}
    assert alert.details["stack"] == "Traceback"


def test_a_run_that_failed_after_all_credits_recovers_nothing():
    """Such a run failed as a whole, so the alert is about all of its partitions."""
    whole = asset(failure=TIMEOUT)
    assert [alert.partitions for alert in raised(whole, end="failure").values()] == [{"0", "1"}]
    assert recovered(whole, end="failure") == {}


def test_the_credited_partitions_of_a_failed_run_recover():
    assert recovered(asset(done="0", failure=TIMEOUT), end="failure") == {("run", None): {"0", WHOLE_ASSET}}


@pytest.mark.parametrize("end", ["success", "canceled"])
def test_a_run_that_did_not_end_in_failure_is_no_alert(end):
    assert raised(asset(done="0", failure=TIMEOUT, expected=frozenset({"a_check"})), end=end) == {}


def test_a_skipped_asset_of_a_failed_run_is_no_alert():
    first, second = asset("rotation_identity", planned="", done="", failure=TIMEOUT), asset("rotation_cache", done="")
    assert list(raised(first, second, end="failure")) == ["rotation_identity/step/TimeoutError"]


def test_unevaluated_checks_are_part_of_the_alert_of_the_run():
    """Each has an alert of its own."""
    failed_asset = asset(done="", failure=TIMEOUT, expected=frozenset({"one", "two"}), evaluations=[passed("two")])
    found = raised(failed_asset, end="failure")
    whole, check = found["album_metadata/step/TimeoutError"], found["album_metadata/one/TimeoutError"]
    assert len(found) == 2
    assert (whole.part_of, check.part_of) == (None, whole.fingerprint)
    assert (check.kind, check.partitions) == ("unevaluated", {WHOLE_ASSET})
    assert check.message == "album_metadata: check one could not be evaluated: LML did not answer"


def test_checks_that_repeat_a_failure_alone_raise_no_alert():
    """Their evaluations are not among the facts, and the failure of their step has no cause of its own."""
    assert raised(asset(failure=BLOCKING_CHECK, evaluations=[]), end="failure") == {}


def test_a_run_failed_by_a_blocking_check_is_part_of_its_alert():
    checks = [failed("harmless"), failed("the_one", blocking=True)]
    found = raised(asset(failure=BLOCKING_CHECK, evaluations=checks), end="failure")
    assert found["album_metadata/step/DagsterAssetCheckFailedError"].part_of == "album_metadata/the_one"
    assert [found[f"album_metadata/{name}"].part_of for name in ("harmless", "the_one")] == [None, None]


def test_a_run_that_failed_for_another_reason_is_its_own_alert():
    found = raised(asset(failure=TIMEOUT, evaluations=[failed("the_one", blocking=True)]), end="failure")
    assert found["album_metadata/step/TimeoutError"].part_of is None


# Money


@pytest.mark.parametrize("check", sorted(MONEY))
def test_later_run_recovers_no_alert_about_money(check):
    rated = asset("rated_usage", planned="0", done="0", evaluations=[passed(check)])
    assert ("check", check) not in recovered(rated)
    assert recovered(rated)["unevaluated", check] == {WHOLE_ASSET}


def test_only_the_money_checks_of_rated_usage_wait_for_a_person():
    assert not is_money("library_identity", "check", "unpriced_zero")
    assert not is_money("rated_usage", "run", "unpriced_zero")
    assert not is_money("rated_usage", "check", "accounting_holds")


@pytest.mark.parametrize(
    ("acknowledged", "left"),
    [
        ({}, {"0", "1"}),
        ({"0": 2}, {"1"}),
        ({"0": 1}, {"0", "1"}),
        ({"0": 2, "1": 9}, None),
    ],
)
def test_only_what_got_worse_is_raised_again(acknowledged, left):
    evaluation = failed("unpriced_zero", partitions=frozenset({"0", "1"}), by_partition={"0": 2, "1": 5})
    (alert,) = raised(asset("rated_usage", evaluations=[evaluation])).values()
    kept = unacknowledged(alert, acknowledged)
    assert (kept and kept.partitions) == left
