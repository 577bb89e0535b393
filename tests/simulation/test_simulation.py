"""A simulation finds a defect, shrinks its steps, and repeats it from its file."""

import psycopg
import pytest

from tests.simulation import __main__ as program
from tests.simulation.planning import plan
from tests.simulation.simulation import simulate
from tests.simulation.steps import Recording, Step, load
from tests.simulation.world import prepare
from wxyc_assets.assets.library_identity import lml_requests, verdicts


@pytest.fixture(scope="module")
def prepared(server):
    """The name of a database to clone, never to connect to."""
    dsn = server.create_database()
    prepare(dsn)
    yield str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])
    server.drop_database(dsn)


class Databases:
    """Simulates as the program's server does, on the server of the tests."""

    def __init__(self, server, prepared):
        self._server, self._prepared = server, prepared

    def simulate(self, steps, tell=lambda _line: None, *, converging=True):
        dsn = self._server.create_database(template=self._prepared)
        try:
            return simulate(dsn, steps, tell, converging=converging)
        finally:
            self._server.drop_database(dsn)


@pytest.fixture
def databases(server, prepared):
    return Databases(server, prepared)


@pytest.fixture
def matching_by_position(monkeypatch):
    """The defect that an answer belongs to the library at its place, whatever library it names."""

    def classify(page, results, **options):
        moved = [{**answer, "library_id": asked.library_id} for asked, answer in zip(page, results, strict=False)]
        return verdicts.classify(page, moved, **options)

    monkeypatch.setattr(lml_requests, "classify", classify)


def test_defect_is_found_shrunken_and_repeated(databases, matching_by_position, tmp_path, capsys):
    steps = [
        *plan(1, 0)[:3],  # albums enough for two on a page
        Step(60, "plays", {"plays": [{"id": 1, "album": 3, "age_s": 7200}]}),
        Step(90, "fault", {"endpoint": "bulk-resolve-libraries", "kind": "shifted", "count": 1, "times": 9}),
        Step(120, "run", {"asset": "library_identity", "origin": "routine"}),
    ]
    options = program.parsed(["--folder", str(tmp_path)])
    assert program.report(databases, Recording(1, steps), options) == 1
    (file,) = tmp_path.glob("simulation-1.json")
    shrunken = load(file)
    assert shrunken.failure.startswith("identities_are_lmls_word: library")
    assert {step.kind for step in shrunken.steps} == {"libraries", "fault", "run"}
    assert len(shrunken.steps) < len(steps)
    assert f"--replay {file}" in capsys.readouterr().out
    again = databases.simulate(shrunken.steps).failure
    assert again is not None
    assert again.invariant == "identities_are_lmls_word"
