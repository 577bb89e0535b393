"""The list of checks, and those that need no connection."""

import os
from pathlib import Path

from tests.sentry_server import sentry_server
from wxyc_assets.cli.doctor_checks import diagnose as module
from wxyc_assets.cli.doctor_checks.diagnose import check_price_file, check_sentry, check_settings, diagnose
from wxyc_assets.cli.doctor_checks.diagnosis import Context
from wxyc_assets.sandbox.sample import SAMPLE_PRICES


def test_usable_settings_are_one_diagnosis(diagnoses_of):
    found = diagnoses_of(check_settings)
    assert list(found) == ["settings"]
    assert found["settings"].ok


def test_each_bad_setting_names_its_variable_and_its_problem(diagnoses_of):
    found = diagnoses_of(check_settings, STALE_THRESHOLD_DAYS="soon", LML_COST_LOOKUP_ITEM="-1")
    assert list(found) == ["setting LML_COST_LOOKUP_ITEM", "setting STALE_THRESHOLD_DAYS"]
    assert not any(diagnosis.ok for diagnosis in found.values())
    assert "greater than or equal to 0" in found["setting LML_COST_LOOKUP_ITEM"].says
    assert found["setting STALE_THRESHOLD_DAYS"].advice.startswith("correct STALE_THRESHOLD_DAYS")


def test_budget_above_the_cap_is_a_warning_that_passes(diagnoses_of):
    found = diagnoses_of(check_settings, LML_DISCOGS_BUDGET_PER_MIN="51")
    assert found["budget"].ok
    assert "LML_DISCOGS_BUDGET_PER_MIN is 51" in found["budget"].says


def test_price_file_passes_with_its_digest(diagnoses_of):
    (diagnosis,) = diagnoses_of(check_price_file, PRICE_FILE=str(SAMPLE_PRICES)).values()
    assert diagnosis.ok
    assert diagnosis.says.startswith("6 models have a price, digest ")


def test_missing_or_bad_price_file_is_a_problem(diagnoses_of, tmp_path: Path):
    (unset,) = diagnoses_of(check_price_file).values()
    assert (unset.ok, "PRICE_FILE is not set" in unset.says) == (False, True)
    path = tmp_path / "prices.yaml"
    path.write_text("version: 7\n")
    (bad,) = diagnoses_of(check_price_file, PRICE_FILE=str(path)).values()
    assert (bad.ok, "wxyc prices check" in bad.advice) == (False, True)


def test_sentry_passes_with_and_without_a_dsn(diagnoses_of):
    (without,) = diagnoses_of(check_sentry).values()
    assert (without.ok, without.says) == (True, "is not configured: nothing is sent")
    (configured,) = diagnoses_of(check_sentry, SENTRY_DSN="http://key@127.0.0.1:9/42").values()
    assert (configured.ok, configured.advice) == (True, "`wxyc doctor --sentry` sends it a check-in")


def asked_sentry(dsn):
    (found,) = check_sentry(Context.load({"SENTRY_DSN": dsn}, asks_sentry=True))
    return found


def test_sentry_is_sent_one_check_in_on_request():
    with sentry_server() as sentry:
        found = asked_sentry(sentry.dsn)
        assert [one["monitor_slug"] for one in sentry.check_ins] == ["wxyc-assets-alerts"]
        assert found.ok
        assert sentry.events == []


def test_sentry_that_takes_no_events_is_a_problem():
    """A key that it does not know, and a port on which nothing listens."""
    with sentry_server() as sentry:
        refused = asked_sentry(sentry.dsn.replace("a-public-key", "another-key"))
        assert sentry.check_ins == []
    assert (refused.ok, refused.says) == (False, "takes no events: Sentry answered 403")
    unreachable = asked_sentry(sentry.dsn)
    assert (unreachable.ok, "cannot be reached" in unreachable.says) == (False, True)


def test_without_a_dsn_sentry_is_not_asked():
    (found,) = check_sentry(Context.load({}, asks_sentry=True))
    assert (found.ok, found.says) == (True, "is not configured: nothing is sent")


def test_price_file_that_is_a_fifo_is_a_problem_at_once(diagnoses_of, tmp_path: Path):
    os.mkfifo(tmp_path / "prices.yaml")
    (found,) = diagnoses_of(check_price_file, PRICE_FILE=str(tmp_path / "prices.yaml")).values()
    assert (found.ok, "is no regular file" in found.says) == (False, True)


def test_check_with_unusable_settings_is_skipped(tmp_path: Path):
    """check_settings reports the setting; the checks of the other groups run."""
    bad = {"WXYC_HOME": str(tmp_path), "DATABASE_URL": "mysql://x", "SENTRY_DSN": "not-a-dsn", "LOCAL_DEV": "perhaps"}
    names = [diagnosis.name for diagnosis in diagnose(bad)]
    assert names == ["setting DATABASE_URL", "setting LOCAL_DEV", "setting SENTRY_DSN", "price file"]


def test_every_check_of_the_package_is_in_the_list():
    names = {name for name in vars(module) if name.startswith("check_")}
    assert {check.__name__ for check in module.CHECKS} == names
