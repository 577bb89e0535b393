"""What the checks of the doctor work on: settings from an environment of the test's own."""

import pytest

from wxyc_assets.cli.doctor_checks.diagnosis import Context
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def lml():
    with SandboxLml() as lml:
        yield lml


@pytest.fixture
def diagnoses_of(tmp_path):
    """Runs one check with these settings, in a home of the test's own, and returns what it found by name."""

    def run(check, **settings):
        return {
            diagnosis.name: diagnosis for diagnosis in check(Context.load({"WXYC_HOME": str(tmp_path), **settings}))
        }

    return run


@pytest.fixture
def real_station(station):
    """A station that ``create`` did not make: its mark is a comment."""
    with station.connect() as connection:
        connection.execute("COMMENT ON TABLE library IS NULL")
    return station
