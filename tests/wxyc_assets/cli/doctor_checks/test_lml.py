"""The checks of LML: its health, its key, the deploy gate."""

import pytest

from tests.wxyc_assets.assets.album_metadata.fake_lml import all_match, serve_lookups
from wxyc_assets.cli.doctor_checks.lml import check_lml
from wxyc_assets.sandbox.lml.faults import Fault


@pytest.fixture
def settings(lml):
    return {"LIBRARY_METADATA_URL": lml.url, "LML_API_KEY": "sandbox-key"}


def test_healthy_lml_passes_with_its_key_and_its_gate(diagnoses_of, settings):
    found = diagnoses_of(check_lml, **settings)
    assert {name: diagnosis.ok for name, diagnosis in found.items()} == {
        "LML": True, "LML's breaker": True, "lookup budget": True, "LML_API_KEY": True, "deploy gate": True,
    }  # fmt: skip


@pytest.mark.parametrize("state", ["open", "half_open"])
def test_breaker_that_is_not_closed_is_a_problem(diagnoses_of, state):
    with serve_lookups(all_match) as lml:
        lml.health = {"status": "degraded", "discogs_breaker_state": state}
        found = diagnoses_of(check_lml, LIBRARY_METADATA_URL=lml.url, LML_API_KEY="key")
    assert (found["LML"].ok, found["LML's breaker"].ok) == (True, False)
    assert state in found["LML's breaker"].says
    assert "wait until it is closed" in found["LML's breaker"].advice


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            "25000",
            "X-Caller-Budget-Ms 25000 is sent (BACKFILL_BULK_BUDGET_MS): LML ends its work on an album after 4 s",
        ),
        ("1000", "after 0.8 s"),
        ("0", "BACKFILL_BULK_BUDGET_MS is 0, so no X-Caller-Budget-Ms is sent: LML takes up to 25 s"),
    ],
)
def test_doctor_says_what_the_budget_of_a_lookup_does(diagnoses_of, settings, value, says):
    assert says in diagnoses_of(check_lml, BACKFILL_BULK_BUDGET_MS=value, **settings)["lookup budget"].says


def test_checks_of_lml_do_no_work_and_spend_no_discogs_call(diagnoses_of, settings, lml):
    diagnoses_of(check_lml, **settings)
    assert {request.path for request in lml.requests} == {"/health", "/api/v1/cache/refresh-for-identities"}
    assert lml.discogs.asked == 0


def test_unconfigured_lml_says_how_to_start_one(diagnoses_of):
    (diagnosis,) = diagnoses_of(check_lml).values()
    assert (diagnosis.ok, diagnosis.says) == (False, "is not configured")
    assert "`wxyc up`" in diagnosis.advice


def test_unreachable_lml_is_one_problem(diagnoses_of):
    found = diagnoses_of(check_lml, LIBRARY_METADATA_URL="http://127.0.0.1:9", LML_API_KEY="key")
    assert list(found) == ["LML"]
    assert not found["LML"].ok


def test_wrong_key_is_a_problem_of_the_key(diagnoses_of, settings):
    found = diagnoses_of(check_lml, **settings | {"LML_API_KEY": "wrong-key-marker"})
    assert (found["LML"].ok, found["LML_API_KEY"].ok) == (True, False)
    assert "wrong-key-marker" not in str(found)


def test_key_that_http_cannot_carry_is_a_problem(diagnoses_of, settings):
    found = diagnoses_of(check_lml, **settings | {"LML_API_KEY": "two words"})
    assert list(found) == ["LML"]
    assert (found["LML"].ok, "LML_API_KEY" in found["LML"].says) == (False, True)
    assert "two words" not in str(found)


def test_outage_after_the_health_is_a_problem_of_the_key(diagnoses_of, settings, lml):
    lml.faults.arm(Fault(endpoint="refresh-for-identities", kind="status", status=500, times=None))
    found = diagnoses_of(check_lml, **settings)
    assert found["LML"].ok
    assert found["LML_API_KEY"].advice == "try again when LML works"


def test_closed_gate_names_who_waits_for_it(diagnoses_of, settings, lml):
    lml.faults.arm(Fault(endpoint="refresh-for-identities", kind="status", status=404, times=None))
    found = diagnoses_of(check_lml, **settings)
    assert not found["deploy gate"].ok
    assert "only rotation_cache" in found["deploy gate"].advice
