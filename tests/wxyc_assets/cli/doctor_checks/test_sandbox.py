"""What the doctor says of a sandbox station, whose LML and prices exist only under ``wxyc demo`` and ``wxyc up``."""

import pytest

from wxyc_assets.cli.doctor_checks.diagnose import check_price_file
from wxyc_assets.cli.doctor_checks.lml import check_lml
from wxyc_assets.cli.services import one_up
from wxyc_assets.sandbox.sample import SAMPLE_PRICES


@pytest.fixture
def on_sandbox(diagnoses_of, station, tmp_path):
    """Runs one check on a sandbox station, and returns its only diagnosis."""

    def run(check, **settings):
        (diagnosis,) = diagnoses_of(check, DATABASE_URL=station.dsn, WXYC_HOME=str(tmp_path), **settings).values()
        return diagnosis

    return run


def test_sandbox_without_lml_says_when_its_own_runs(on_sandbox):
    diagnosis = on_sandbox(check_lml)
    assert diagnosis.ok
    assert "runs only under `wxyc demo` and `wxyc up`" in diagnosis.says
    assert "`wxyc sandbox lml` starts one" in diagnosis.advice


def test_sandbox_without_lml_names_the_up_that_runs(on_sandbox, tmp_path):
    with one_up.held(tmp_path, print) as ours:
        ours.announce("http://127.0.0.1:3000")
        assert "its UI is at http://127.0.0.1:3000" in on_sandbox(check_lml).advice


def test_sandbox_lml_that_has_ended_is_a_problem(on_sandbox):
    diagnosis = on_sandbox(check_lml, LIBRARY_METADATA_URL="http://127.0.0.1:9", LML_API_KEY="key")
    assert not diagnosis.ok
    assert "runs only under `wxyc demo` and `wxyc up`" in diagnosis.advice


def test_lml_elsewhere_is_a_problem_of_a_sandbox(on_sandbox):
    diagnosis = on_sandbox(check_lml, LIBRARY_METADATA_URL="https://lml.invalid", LML_API_KEY="key")
    assert not diagnosis.ok
    assert "never asked about sample albums" in diagnosis.says


def test_sandbox_without_price_file_uses_its_own(on_sandbox):
    diagnosis = on_sandbox(check_price_file)
    assert diagnosis.ok
    assert "with the sandbox's prices (6 models, digest " in diagnosis.says
    assert diagnosis.advice.endswith(f"PRICE_FILE={SAMPLE_PRICES}")


def test_billing_elsewhere_is_no_sandbox(on_sandbox, database):
    assert not on_sandbox(check_price_file, BILLING_DATABASE_URL=database).ok


def test_price_file_of_a_sandbox_may_not_be_wrong(on_sandbox, tmp_path):
    assert not on_sandbox(check_price_file, PRICE_FILE=str(tmp_path / "none.yaml")).ok


@pytest.mark.parametrize("check", [check_lml, check_price_file])
def test_real_station_needs_an_lml_and_prices(diagnoses_of, real_station, check):
    (diagnosis,) = diagnoses_of(check, DATABASE_URL=real_station.dsn).values()
    assert not diagnosis.ok
