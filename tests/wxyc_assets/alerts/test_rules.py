"""What the end of a run raises, and what it takes back."""

import pytest

from tests.wxyc_assets.alerts.stories import BLOCKED, DISCORD, asset, failed, passed, story
from wxyc_assets.alerts.rules import Recovery, judge
from wxyc_assets.alerts.story import WHOLE


def raised(*assets, end="success"):
    return {alert.fingerprint: alert for alert in judge(story(*assets, end=end)).raised}


def recovered(*assets, end="success"):
    return {
        (one.kind, one.source): set(one.partitions) for one in judge(story(*assets, end=end)).recovered
    }  # fmt: skip


# Checks


def test_a_failed_check_is_an_alert_though_the_run_is_green():
    (alert,) = raised(asset(evaluations=[failed(description="3 rows", numbers={"rows": 3})])).values()
    assert (alert.fingerprint, alert.kind, alert.level) == ("album_metadata/a_check", "check", "error")
    assert alert.message == "album_metadata: check a_check failed: 3 rows"
    assert alert.details["numbers"] == {"rows": 3}


def test_a_failed_check_that_only_warns_is_a_warning():
    assert [alert.level for alert in raised(asset(evaluations=[failed(severity="WARN")])).values()] == ["warning"]


def test_a_failed_check_without_a_word_is_told_with_its_numbers():
    (alert,) = raised(asset(evaluations=[failed(numbers={"rows": 3, "of": 9})])).values()
    assert alert.message.endswith("failed: rows 3, of 9")


@pytest.mark.parametrize(
    ("scope", "blamed", "partitions"),
    [("partitions", "", {"0", "1"}), ("partitions", "1", {"1"}), ("asset", "", {WHOLE}), ("asset", "1", {WHOLE})],
)
def test_what_has_to_recover_is_what_the_check_is_about(scope, blamed, partitions):
    evaluation = failed(scope=scope, partitions=frozenset(blamed.split()))
    (alert,) = raised(asset(evaluations=[evaluation])).values()
    assert alert.partitions == partitions


def test_what_the_watch_looks_at_anyway_is_left_to_it():
    assert raised(asset(evaluations=[failed(scope="watched")])) == {}


def test_a_passed_check_recovers_the_partitions_that_were_done_and_only_those():
    there = asset(planned="0 1 2", done="0 1", evaluations=[passed()])
    assert recovered(there)["check", "a_check"] == {"0", "1", WHOLE}


def test_a_passed_check_of_the_whole_asset_recovers_it_whatever_was_done():
    assert recovered(asset(evaluations=[passed(scope="asset")]))["check", "a_check"] == {WHOLE}
    assert recovered(asset(planned="", done="", evaluations=[passed()]))["check", "a_check"] == {WHOLE}


def test_a_check_that_was_evaluated_can_be_evaluated_again_whatever_it_said():
    assert recovered(asset(evaluations=[failed()])) == {
        ("unevaluated", "a_check"): {WHOLE}, ("run", None): {"0", "1", WHOLE},
    }  # fmt: skip


# Runs


def test_a_failed_run_is_an_alert_about_what_it_missed_by_the_exception_at_its_root():
    (alert,) = raised(asset(done="0", trouble=DISCORD), end="failure").values()
    assert (alert.fingerprint, alert.kind, alert.level) == ("album_metadata/step/TimeoutError", "run", "error")
    assert alert.message == "album_metadata: run failed: LML said nothing"
    assert alert.partitions == {"1"}
    assert alert.details["stack"] == "Traceback"


def test_a_run_that_failed_though_it_did_everything_has_failed_as_a_whole():
    whole = asset(trouble=DISCORD)
    assert [alert.partitions for alert in raised(whole, end="failure").values()] == [{"0", "1"}]
    assert recovered(whole, end="failure") == {}


def test_what_a_failed_run_did_has_recovered():
    assert recovered(asset(done="0", trouble=DISCORD), end="failure") == {("run", None): {"0", WHOLE}}


@pytest.mark.parametrize("end", ["success", "canceled"])
def test_a_run_that_a_person_ended_is_no_alert(end):
    assert raised(asset(done="0", trouble=DISCORD, expected=frozenset({"a_check"})), end=end) == {}


def test_an_asset_that_was_only_skipped_has_no_trouble_of_its_own():
    first, second = asset("rotation_identity", planned="", done="", trouble=DISCORD), asset("rotation_cache", done="")
    assert list(raised(first, second, end="failure")) == ["rotation_identity/step/TimeoutError"]


def test_the_checks_that_a_failed_run_could_not_evaluate_are_alerts_that_the_runs_own_tells_of():
    story = asset(done="", trouble=DISCORD, expected=frozenset({"one", "two"}), evaluations=[passed("two")])
    found = raised(story, end="failure")
    run, check = found["album_metadata/step/TimeoutError"], found["album_metadata/one/TimeoutError"]
    assert len(found) == 2
    assert (run.part_of, check.part_of) == (None, run.fingerprint)
    assert (check.kind, check.partitions) == ("unevaluated", {WHOLE})
    assert check.message == "album_metadata: check one could not be evaluated: LML said nothing"


def test_a_run_that_a_blocking_check_failed_is_told_of_by_that_check():
    checks = [failed("harmless"), failed("the_one", blocking=True)]
    found = raised(asset(trouble=BLOCKED, evaluations=checks), end="failure")
    assert found["album_metadata/step/DagsterAssetCheckFailedError"].part_of == "album_metadata/the_one"
    assert [found[f"album_metadata/{name}"].part_of for name in ("harmless", "the_one")] == [None, None]


def test_a_run_that_failed_beside_a_failed_check_is_told_by_itself():
    found = raised(asset(trouble=DISCORD, evaluations=[failed("the_one", blocking=True)]), end="failure")
    assert found["album_metadata/step/TimeoutError"].part_of is None


# Dry runs


def test_a_dry_run_recovers_nothing_since_it_mended_nothing():
    assert recovered(asset(done="", dry_run=True, evaluations=[passed(), passed("whole", scope="asset")])) == {}


def test_a_dry_run_that_failed_missed_nothing_and_the_next_run_that_works_recovers_it():
    (alert,) = raised(asset(done="", dry_run=True, trouble=DISCORD), end="failure").values()
    assert alert.partitions == {WHOLE}
    assert (
        Recovery("album_metadata", "run", None, frozenset({"0", WHOLE}))
        in judge(story(asset(planned="0", done="0"))).recovered
    )


def test_a_check_that_failed_in_a_dry_run_is_an_alert():
    assert list(raised(asset(done="", dry_run=True, evaluations=[failed()]))) == ["album_metadata/a_check"]
